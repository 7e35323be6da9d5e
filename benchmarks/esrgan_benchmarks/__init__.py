"""Measurements on the machine that they run on, recorded as rows.

Each benchmark is a module that can be run, and appends its rows to a file of `benchmarks/results/`:

    python -m esrgan_benchmarks.speed      Upscaler beside the bare network and the reference way
    python -m esrgan_benchmarks.memory     peak memory of a large picture, tiled and not
    python -m esrgan_benchmarks.tiling     error, time and memory of every way to cut a picture
    python -m esrgan_benchmarks.conversion  parity, size and time of converted networks

`python -m esrgan_benchmarks.before_after` makes the picture of the README;
`python -m esrgan_benchmarks.tables` writes the tables of the documentation from the rows.
"""
