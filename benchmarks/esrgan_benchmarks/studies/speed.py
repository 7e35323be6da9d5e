"""Upscaler beside the bare network: what convenience costs, and what the default gains.

    python -m esrgan_benchmarks speed [--model NAME] [--size PX] [--runs N] [--dtypes D...]

All cases start from the same uint8 pixels and end with uint8 pixels:

- reference: the network as published code runs it: float32, NCHW, eager, no gradients;
- bare float32, bare bfloat16: the network itself, channels_last, in that precision throughout (bfloat16 by
  default only where the processor has it);
- Upscaler float32, Upscaler bfloat16: the project's engine, whole picture;
- Upscaler default: device and dtype "auto".
"""

import argparse
import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from esrgan_benchmarks.core.cases import work_of
from esrgan_benchmarks.core.measure import Spread, interleave, ratio, stopwatch
from esrgan_benchmarks.core.record import Row, append
from esrgan_torch import Picture, Upscaler
from esrgan_torch.engines.base import channels_last
from esrgan_torch.engines.choose import resolve_dtype
from esrgan_torch.engines.devices import computes_bfloat16_fast
from esrgan_torch.images.picture import Pixels
from esrgan_torch.metrics.psnr_ssim import psnr
from esrgan_torch.networks.base import Generator
from esrgan_torch.quantise import rounded_levels
from esrgan_weights import load

Case = Callable[[], Pixels]


def bare(model: Generator, pixels: Pixels, dtype: torch.dtype, layout: torch.memory_format) -> Case:
    """The network alone around the same conversions."""
    network = copy.deepcopy(model).to(dtype)
    if layout == torch.channels_last:
        network = channels_last(network)

    def run() -> Pixels:
        with torch.inference_mode():
            batch = torch.from_numpy(pixels).permute(2, 0, 1)[None].to(dtype) / 255
            values = network(batch.contiguous(memory_format=layout))
            levels: Any = rounded_levels(values[0].float()).to(torch.uint8)
            return levels.permute(1, 2, 0).contiguous().numpy()

    return run


def upscaler(model: Generator, pixels: Pixels, dtype: str) -> Case:
    """The project's way."""
    made = Upscaler(model, "cpu", dtype)
    return lambda: made(pixels)


def measure(name: str, size: int, runs: int, dtypes: list[str]) -> list[Row]:
    """Rows of one network on a size x size picture; outputs are checked against the reference's."""
    model = load(name)
    noise = np.random.default_rng(0).integers(0, 256, (size // 4, size // 4, 3), np.uint8)
    # textured, and smooth between: enlarged noise
    pixels = Upscaler(model, "cpu", "float32", scale=4)(Picture(noise)).pixels[:size, :size].copy()
    nchw, nhwc = torch.contiguous_format, torch.channels_last
    cases: dict[str, Case] = {"reference": bare(model, pixels, torch.float32, nchw)}
    precision = {"reference": "float32"}
    default = str(resolve_dtype("auto", model, torch.device("cpu"))).removeprefix("torch.")
    for dtype in dict.fromkeys(("float32", *dtypes, default)):
        cases[f"bare {dtype}"] = bare(model, pixels, getattr(torch, dtype), nhwc)
        cases[f"Upscaler {dtype}"] = upscaler(model, pixels, dtype)
        precision |= {f"bare {dtype}": dtype, f"Upscaler {dtype}": dtype}
    cases["Upscaler default"] = upscaler(model, pixels, "auto")
    precision["Upscaler default"] = default
    expected = cases["reference"]()
    quality = {case: psnr(run(), expected, channel="rgb") for case, run in cases.items()}
    for case, decibels in quality.items():
        if decibels < 30:
            raise AssertionError(f"{case} gives another picture: {decibels:.1f} dB")
    seconds = interleave({case: stopwatch(run) for case, run in cases.items()}, runs)
    return [
        {
            "case": case,
            "network": name,
            "shape": [size, size, 3],
            "seconds": Spread.of(seconds[case]).as_dict(),
            "of_reference": ratio(seconds, case, "reference"),
            "dtype": precision[case],
            "of_bare": ratio(seconds, case, f"bare {precision[case]}"),
            "gflops": _gflops(model, size, Spread.of(seconds[case]).median),
            "psnr": None if quality[case] == float("inf") else round(quality[case], 2),
        }
        for case in cases
    ]


def _gflops(model: Generator, size: int, seconds: float) -> float:
    """Multiply-adds of the convolutions, counted twice as usual, a second and in thousand millions."""
    return round(2 * work_of(model, (1, size, size, model.in_channels)).multiply_adds / seconds / 1e9, 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="realesrgan-x4plus")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--runs", type=int, default=7)
    fast = computes_bfloat16_fast(torch.device("cpu"))
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"] if fast else ["float32"])
    options = parser.parse_args()
    rows = measure(options.model, options.size, options.runs, options.dtypes)
    for row in rows:
        print(
            f"{row['case']:20} {row['seconds']['median']:8.3f} s, {row['of_reference']:.3f} of reference, "
            f"{row['of_bare']:.3f} of bare, {row['gflops']} GFLOP/s, {row['psnr']} dB"
        )
    print(append("speed", rows))
