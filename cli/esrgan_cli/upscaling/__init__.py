"""`esrgan upscale` on files and folders."""
