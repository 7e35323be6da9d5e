"""Error, time and memory of every way to cut a picture, against the untiled network.

    python -m esrgan_benchmarks tiling --data FOLDER [--models NAME...] [--crop PX] [--tile PX]

FOLDER holds the photos named in `PHOTOS`. Each case runs in a process of its own, so that its peak
memory is its own; errors are in 8-bit levels of the RGB picture.
"""

import argparse
from pathlib import Path

import numpy as np

from esrgan_benchmarks.core.measure import in_child, peak_memory
from esrgan_benchmarks.core.record import Row, append
from esrgan_torch import Picture, Tiling, Upscaler, read_image
from esrgan_torch.images.picture import Pixels
from esrgan_torch.quantise import decibels
from esrgan_weights import load

PHOTOS = ("RealESRGAN_inputs/OST_009.png", "RealSRSet/dog.png")
MODELS = ("realesrgan-x4plus", "realesrgan-x4plus-anime", "realesr-animevideov3")
OVERLAPS = (0, 10, 18, 32, 48, 64, 96)


def crop(path: Path, size: int) -> Pixels:
    """The middle size x size pixels of a photo, in RGB."""
    pixels = read_image(path).pixels[:, :, :3]
    top, left = (pixels.shape[0] - size) // 2, (pixels.shape[1] - size) // 2
    if top < 0 or left < 0:
        raise ValueError(f"{path} is smaller than {size}x{size} pixels")
    return pixels[top : top + size, left : left + size].copy()


def upscale(name: str, pixels: Pixels, tiling: Tiling) -> tuple[Pixels, Row]:
    """The picture, and what it took."""
    upscaler = Upscaler(load(name), "cpu", "float32", tiling)
    before = peak_memory()
    result = upscaler.upscale(Picture(pixels))
    facts = {
        "exact": result.exact,
        "seconds": round(result.seconds, 2),
        "memory": peak_memory() - before,
        "windows": len(result.plan.windows),
        "fade": result.plan.fade,
    }
    return result.picture.pixels, facts


def difference(picture: Pixels, expected: Pixels) -> Row:
    """Largest and mean error in levels, and PSNR in dB (None: equal)."""
    error = np.abs(picture.astype(np.int64) - expected.astype(np.int64))
    mean_square = float((error**2).mean())
    return {
        "max": int(error.max()),
        "mean": round(float(error.mean()), 4),
        "psnr": round(decibels(mean_square), 2) if mean_square else None,
    }


def measure(name: str, photo: Path, size: int, tile: int) -> list[Row]:
    """Rows of one network on one photo: untiled, exact, and overlapping tiles with growing overlap."""
    pixels = crop(photo, size)
    ways = {"off": Tiling("off"), "exact": Tiling("exact")}
    ways |= {f"overlap {overlap}": Tiling("overlap", tile, overlap) for overlap in OVERLAPS}
    expected = np.zeros(0, np.uint8)
    rows: list[Row] = []
    for way, tiling in ways.items():
        picture, facts = in_child(upscale, name, pixels, tiling)
        if way == "off":
            expected = picture
        row = {"network": name, "photo": photo.stem, "shape": list(pixels.shape), "way": way, "tile": tile}
        rows.append({**row, **difference(picture, expected), **facts})
        print(rows[-1], flush=True)
        if facts["exact"] and rows[-1]["max"] > 0:
            raise AssertionError(f"{way} says that it is exact and is not: {rows[-1]}")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--tile", type=int, default=128)
    options = parser.parse_args()
    for name in options.models:
        for photo in PHOTOS:
            append("tiling", measure(name, options.data / photo, options.crop, options.tile))
