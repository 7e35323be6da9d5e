"""How near a network comes to another that taught it, on damaged pictures that neither was trained on.

    python -m esrgan_benchmarks students MODEL... --dataset DIR [--teacher NAME] [--count N]

Crops of the originals are degraded as Real-ESRGAN does, each with numbers of its own. PSNR against the
teacher's answers favours smooth results, so sharpness stands beside it: the mean size of the gradient and of
the Laplacian of luma, divided by the teacher's. And dots and grids, which a network that is taught by a
discriminator tends to: how much they stand out on average, and on how many pictures they are found, see
`esrgan_torch.metrics.periodic`. And the noise that is left of a gray picture with white noise of 10 levels,
which was never a JPEG.
"""

import argparse
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_benchmarks.core.record import Row, append, latest, measured_on
from esrgan_benchmarks.studies.training import SCALE, upscaling
from esrgan_torch.images.picture import Picture
from esrgan_torch.metrics.periodic import pattern_of
from esrgan_torch.metrics.protocol import pairs
from esrgan_torch.metrics.psnr_ssim import psnr, rgb_to_y
from esrgan_torch.train.data.degrade import degrade

SIDE = 320  # of a crop of an original, at most
NOISE = 10  # levels, standard deviation

Pixels = NDArray[Any]


def damaged(dataset: Path, count: int) -> list[Pixels]:
    """The first pictures of a folder, cropped and degraded: (h, w, 3) uint8."""
    originals = (original[:SIDE, :SIDE] for _, original, _ in islice(pairs(dataset, SCALE), count))
    return [degrade(each, SCALE, np.random.default_rng(number)) for number, each in enumerate(originals)]


def compare(name: str, teacher: str, given: list[Pixels], answers: list[Pixels], dataset: str) -> Row:
    """One network's results for `given` beside the teacher's `answers`, as a row."""
    upscale, parameters = upscaling(name)
    results = [upscale(Picture(small)).pixels for small in given]
    both = list(zip(results, answers, strict=True))
    patterns = [pattern_of(result, SCALE) for result in results]
    return {
        "network": Path(name).stem,  # of a file; a published name stays
        "teacher": teacher,
        "dataset": dataset,
        "pictures": len(given),
        "parameters": parameters,
        "psnr_rgb": round(fmean(psnr(result, answer, channel="rgb") for result, answer in both), 3),
        "gradient": round(fmean(gradient(result) / gradient(answer) for result, answer in both), 4),
        "laplacian": round(fmean(laplacian(result) / laplacian(answer) for result, answer in both), 4),
        "pattern": round(fmean(pattern.peak for pattern in patterns), 4),
        "patterned": sum(pattern.found for pattern in patterns),
        "noise": round(noise_left(upscale), 2),
    }


def noise_left(upscale: Callable[[Picture], Picture]) -> float:
    """The standard deviation, in levels, of what a model makes of a gray picture with noise."""
    noise = np.random.default_rng(0).normal(0, NOISE, (96, 96, 3))
    result = upscale(Picture(np.clip(128 + noise, 0, 255).astype(np.uint8))).pixels
    # borders are computed from zeros beyond them
    inner = result[8 * SCALE : -8 * SCALE, 8 * SCALE : -8 * SCALE]
    return float(inner.astype(np.float64).std(axis=(0, 1)).mean())


def enlarged(name: str, given: list[Pixels]) -> list[Pixels]:
    """What a model makes of each."""
    upscale, _ = upscaling(name)
    return [upscale(Picture(small)).pixels for small in given]


def gradient(pixels: Pixels) -> float:
    """Mean size of the differences of luma between neighbours, along both axes, in levels."""
    luma = rgb_to_y(pixels)
    return float(np.abs(np.diff(luma, axis=0)).mean() + np.abs(np.diff(luma, axis=1)).mean())


def laplacian(pixels: Pixels) -> float:
    """Mean size of four times a value of luma less its four neighbours, in levels."""
    luma = rgb_to_y(pixels)
    inner = 4 * luma[1:-1, 1:-1]
    around = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    return float(np.abs(inner - around).mean())


def table(rows: list[Row]) -> str:
    """The rows as a table, for the documentation."""
    rows = latest(rows, "network", "teacher", "dataset")
    lines = [
        "| model | parameters | PSNR to the teacher's answers | gradient of the teacher's "
        "| Laplacian of the teacher's | pattern, pictures that have one | noise left of 10 levels |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['network']} | {_parameters(row)} | {row['psnr_rgb']:.2f} dB | {row['gradient']:.2f} "
        f"| {row['laplacian']:.2f} | {_pattern(row)} | {row.get('noise', '')} |"
        for row in rows
    ]
    return "\n".join([*lines, "", measured_on(rows)])


def _parameters(row: Row) -> str:
    """Of earlier rows nothing is known; a multiply-add an input pixel for nearly each of a CompactNet's."""
    return f"{row['parameters']:,}" if row.get("parameters") else ""


def _pattern(row: Row) -> str:
    """Of earlier rows nothing is known."""
    return f"{row['pattern']:.2f}, {row['patterned']} of {row['pictures']}" if "pattern" in row else ""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--teacher", default="realesrgan-x4plus")
    parser.add_argument("--count", type=int, default=24)
    options = parser.parse_args()
    given = damaged(options.dataset, options.count)
    answers = enlarged(options.teacher, given)
    for name in options.models:
        row = compare(name, options.teacher, given, answers, options.dataset.name)
        sharpness = f"{row['gradient']:.2f}, {row['laplacian']:.2f}"
        print(
            f"{name}: {row['psnr_rgb']:.2f} dB, {sharpness}, pattern {_pattern(row)}, noise {row['noise']}",
            flush=True,
        )
        append("students", [row])
