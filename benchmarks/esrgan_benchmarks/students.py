"""How near a network comes to another that taught it, on damaged pictures that neither was trained on.

    python -m esrgan_benchmarks.students MODEL... --dataset DIR [--teacher NAME] [--count N]

Crops of the originals are degraded as Real-ESRGAN does, each with numbers of its own. PSNR against the
teacher's answers favours smooth results, so sharpness stands beside it: the mean size of the gradient and of
the Laplacian of luma, divided by the teacher's.
"""

import argparse
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_benchmarks.record import Row, append, latest, measured_on
from esrgan_torch.evaluate import bicubic, pairs
from esrgan_torch.metrics import psnr, rgb_to_y
from esrgan_torch.picture import Picture
from esrgan_torch.train.degrade import degrade
from esrgan_torch.upscale import Upscaler
from esrgan_weights.loading import load

BICUBIC = "bicubic"
SCALE = 4
SIDE = 320  # of a crop of an original, at most

Pixels = NDArray[Any]
Enlarge = Callable[[Pixels], Pixels]


def damaged(dataset: Path, count: int) -> list[Pixels]:
    """The first pictures of a folder, cropped and degraded: (h, w, 3) uint8."""
    originals = (original[:SIDE, :SIDE] for _, original, _ in islice(pairs(dataset, SCALE), count))
    return [degrade(each, SCALE, np.random.default_rng(number)) for number, each in enumerate(originals)]


def compare(name: str, teacher: str, given: list[Pixels], answers: list[Pixels], dataset: str) -> Row:
    """One network's results for `given` beside the teacher's `answers`, as a row."""
    enlarge = enlarger(name)
    results = [enlarge(small) for small in given]
    both = list(zip(results, answers, strict=True))
    return {
        "network": Path(name).stem,  # of a file; a published name stays
        "teacher": teacher,
        "dataset": dataset,
        "pictures": len(given),
        "psnr_rgb": round(fmean(psnr(result, answer, channel="rgb") for result, answer in both), 3),
        "gradient": round(fmean(gradient(result) / gradient(answer) for result, answer in both), 4),
        "laplacian": round(fmean(laplacian(result) / laplacian(answer) for result, answer in both), 4),
    }


def enlarger(name: str) -> Enlarge:
    """What a model makes of pixels, in float32 and untiled."""
    if name == BICUBIC:
        interpolate = bicubic(SCALE)
        return lambda pixels: interpolate(Picture(pixels)).pixels
    return Upscaler(load(name), "auto", "float32", "off")


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
        "| model | PSNR to the teacher's answers | gradient of the teacher's | Laplacian of the teacher's |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row['network']} | {row['psnr_rgb']:.2f} dB | {row['gradient']:.2f} | {row['laplacian']:.2f} |"
        for row in rows
    ]
    return "\n".join([*lines, "", measured_on(rows)])


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
    teach = enlarger(options.teacher)
    answers = [teach(small) for small in given]
    for name in options.models:
        row = compare(name, options.teacher, given, answers, options.dataset.name)
        print(f"{name}: {row['psnr_rgb']:.2f} dB, {row['gradient']:.2f}, {row['laplacian']:.2f}", flush=True)
        append("students", [row])


if __name__ == "__main__":
    main()
