"""Measurements on the machine that they run on, recorded as rows.

Each benchmark is a module that can be run, and appends its rows to a file of `benchmarks/results/`:

    python -m esrgan_benchmarks speed      Upscaler beside the bare network and the reference way
    python -m esrgan_benchmarks memory     peak memory of a large picture, tiled and not
    python -m esrgan_benchmarks tiling     error, time and memory of every way to cut a picture
    python -m esrgan_benchmarks conversion  parity and sizes of converted networks
    python -m esrgan_benchmarks conversion_cost  time and peak memory of a conversion
    python -m esrgan_benchmarks quantization  what photos lose by weights in float16 and uint8
    python -m esrgan_benchmarks lowering_speed  TensorFlow on our graph beside that of onnx-tf
    python -m esrgan_benchmarks upsampling  enlarging and a 3x3 convolution as four 2x2 convolutions
    python -m esrgan_benchmarks images     reading and writing picture files
    python -m esrgan_benchmarks overlap    how busy the network is while a folder is enlarged

benchmarks/gpu.sh runs `gpu`, which answers everything about a GPU in ten minutes: docs/kernels.md.
`esrgan bench` compares runtimes: `cases` and `runtimes/` say what is measured, `child` runs each in a process
of its own, `harness` compares pictures, `rounds` takes turns while `load` watches what others use, `suite`
stores the rows, `report`, `compare` and `advice` read them.
`python -m esrgan_benchmarks before_after` makes the picture of the README;
`python -m esrgan_benchmarks tables` writes the tables of the documentation from the rows.
"""

from importlib import import_module


def __getattr__(name: str) -> object:
    if name == "__version__":
        return getattr(import_module("esrgan_torch"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
