"""`esrgan bench`: runtimes compared on this machine."""
