"""`esrgan upscale` on films."""
