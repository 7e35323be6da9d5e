"""Peak memory of a large picture: the exact mode beside the untiled network.

    python -m esrgan_benchmarks memory [--model NAME] [--size PX] [--untiled-size PX]

Each case runs in a process of its own; what the process held before the picture came (PyTorch, the
weights) is counted in "peak", and left out of "bytes_a_pixel". The untiled network is measured on a
smaller picture, since its memory grows with the picture and its time is the same.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from esrgan_benchmarks.core.measure import in_child, peak_memory
from esrgan_benchmarks.core.record import Row, append
from esrgan_torch import Upscaler
from esrgan_weights import load


def untiled(name: str, size: int, dtype: str) -> Row:
    """The bare network in one precision, as published code runs it."""
    model = load(name).to(getattr(torch, dtype))
    return _measured(name, size, lambda batch: model(batch.to(getattr(torch, dtype))))


def exact(name: str, size: int, dtype: str) -> Row:
    """The exact mode of Upscaler; from pixels to pixels."""
    upscaler = Upscaler(load(name), "cpu", dtype, "exact")
    pixels = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    return _measured(name, size, lambda _: upscaler(pixels))


def _measured(name: str, size: int, run: Callable[[Tensor], object]) -> Row:
    before = peak_memory()
    started = time.perf_counter()
    with torch.inference_mode():
        run(torch.rand(1, 3, size, size))
    seconds = time.perf_counter() - started
    peak = peak_memory()
    return {
        "network": name,
        "shape": [size, size, 3],
        "seconds": round(seconds, 2),
        "before": before,
        "peak": peak,
        "bytes_a_pixel": round((peak - before) / size**2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="realesrgan-x4plus")
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--untiled-size", type=int, default=384)
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    options = parser.parse_args()
    rows: list[Row] = []
    for dtype in options.dtypes:
        for case, function, size in (
            ("untiled", untiled, options.untiled_size),
            ("exact", exact, options.size),
        ):
            measured: Row = in_child(function, options.model, size, dtype)
            print(
                f"{case:8} {dtype:9} {size} pixels a side: peak {measured['peak'] / 1e9:.2f} GB, "
                f"{measured['bytes_a_pixel']} bytes an input pixel, {measured['seconds']} s"
            )
            rows.append({"case": case, "dtype": dtype, **measured})
    print(append("memory", rows))
