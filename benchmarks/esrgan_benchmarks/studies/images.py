"""Reading and writing picture files: seconds a megapixel of every format.

    python -m esrgan_benchmarks images PHOTO [--megapixels N] [--runs N]

The photo is repeated side by side until it has so many pixels, so that its content stays a photo's.
"""

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from esrgan_benchmarks.core.measure import Spread, interleave, stopwatch
from esrgan_benchmarks.core.record import Row, append
from esrgan_torch import Picture, read_image, write_image
from esrgan_torch.images.picture import Pixels

FORMATS = (("png", 8), ("png", 16), ("tiff", 8), ("tiff", 16), ("jpg", 8), ("webp", 8), ("avif", 8))


def enlarge(pixels: Pixels, count: int) -> Pixels:
    """Copies of (H, W, 3) pixels beside and below each other, of at least `count` pixels."""
    times = int(np.ceil(np.sqrt(count / (pixels.shape[0] * pixels.shape[1]))))
    return np.tile(pixels, (times, times, 1))


def measure(pixels: Pixels, runs: int) -> list[Row]:
    """Rows of writing and reading (H, W, 3) uint8 pixels, all formats in turn."""
    deep = pixels.astype(np.uint16) * np.uint16(257)
    with tempfile.TemporaryDirectory() as folder:
        cases: dict[str, Callable[[], Any]] = {}
        for suffix, bits in FORMATS:
            path = Path(folder) / f"picture-{bits}.{suffix}"
            picture = Picture(pixels if bits == 8 else deep)
            cases[f"write {suffix} {bits}"] = partial(write_image, path, picture)
            cases[f"read {suffix} {bits}"] = partial(read_image, path)
        seconds = interleave({name: stopwatch(case) for name, case in cases.items()}, runs)
        sizes = {path.name: path.stat().st_size for path in Path(folder).iterdir()}
    rows: list[Row] = []
    for name, values in seconds.items():
        what, suffix, bits = name.split()
        spread = Spread.of(values)
        rows.append(
            {
                "case": what,
                "format": suffix,
                "bits": int(bits),
                "shape": list(pixels.shape),
                "seconds": spread.as_dict(),
                "seconds_a_megapixel": round(spread.median / pixels.shape[0] / pixels.shape[1] * 1e6, 4),
                "bytes_a_pixel": round(
                    sizes[f"picture-{bits}.{suffix}"] / pixels.shape[0] / pixels.shape[1], 3
                ),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photo", type=Path)
    parser.add_argument("--megapixels", type=float, default=4.0)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    pixels = enlarge(read_image(options.photo).pixels[:, :, :3], round(options.megapixels * 1e6))
    rows = measure(pixels, options.runs)
    for row in rows:
        print(f"{row['case']:5} {row['format']:4} {row['bits']:2} bits: {row['seconds_a_megapixel']:.3f} s")
    print(append("images", rows))
