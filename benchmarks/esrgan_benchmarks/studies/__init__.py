"""Single questions, measured once: `python -m esrgan_benchmarks NAME`. Not in the wheel."""
