"""How busy the network is while a folder of JPEGs is enlarged, and what a batch of small pictures could gain.

    python -m esrgan_benchmarks overlap [--models NAME...] [--pictures N] [--size HxW]

Each folder is enlarged twice, by what `Upscaler.map` and `esrgan upscale` use: one file after the other, and
with reading, network and writing beside one another. Results are PNG files.

A batch of pictures computes what one picture of as many pixels does, with less around it. So what a pixel of
a large picture takes less than one of a small picture is the most that a batch of small ones could gain.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from esrgan_benchmarks.core.cases import height_and_width
from esrgan_benchmarks.core.record import Row, append
from esrgan_torch import Upscaler
from esrgan_torch.pieces import File
from esrgan_torch.pipeline.stages import Stages
from esrgan_torch.watch import Watch
from esrgan_weights import load

MODELS = ("esrgan-lite-x4", "realesrgan-x4plus-anime")
SMALL = (32, 64, 128)
LARGE = 256
PHOTO = Path("examples/cat.jpg")


def folder(name: str, pictures: int, size: tuple[int, int], limit: int) -> Row:
    """Times of the lane, in seconds, for JPEGs of a photo; `limit` as of `Stages`."""
    upscaler = Upscaler(load(name), "cpu", "float32")
    with tempfile.TemporaryDirectory() as place:
        photo = Image.open(PHOTO).convert("RGB").resize((size[1], size[0]))
        for number in range(pictures):
            turned = np.roll(np.asarray(photo), number * 5, axis=1)
            Image.fromarray(turned).save(Path(place) / f"{number:03}.jpg", quality=92)
        upscaler(np.asarray(photo))
        files = [
            File(path, None, upscaler.scale, upscaler._enlarged, Watch(None, None))  # pyright: ignore[reportPrivateUsage]
            for path in sorted(Path(place).glob("*.jpg"))
        ]
        stages = Stages(limit)
        for written in stages.run(files):
            written.result()
    times = stages.times
    return {
        "network": name,
        "pictures": pictures,
        "size": f"{size[0]}x{size[1]}",
        "threads": torch.get_num_threads(),
        "overlap": limit > 0,
        "seconds": round(times.total, 2),
        "busy": round(times.busy / times.total, 4),
        "reading": round(times.reading / times.total, 4),
        "writing": round(times.writing / times.total, 4),
    }


def microseconds(upscaler: Upscaler, side: int) -> float:
    """That a pixel takes, the least of several rounds of as many pixels each."""
    pixels = np.asarray(Image.open(PHOTO).convert("RGB").resize((side, side)))
    upscaler(pixels)
    seconds: list[float] = []
    for _ in range(5):
        started = time.process_time()
        for _ in range((LARGE // side) ** 2):
            upscaler(pixels)
        seconds.append(time.process_time() - started)
    return min(seconds) / LARGE**2 * 1e6


def batch(name: str) -> list[Row]:
    """The most that a batch could gain, for each size of small pictures; time of the processor."""
    upscaler = Upscaler(load(name), "cpu", "float32")
    large = microseconds(upscaler, LARGE)
    rows: list[Row] = []
    for side in SMALL:
        small = microseconds(upscaler, side)
        rows.append(
            {
                "network": name,
                "side": side,
                "threads": torch.get_num_threads(),
                "microseconds": round(small, 2),
                "large_microseconds": round(large, 2),
                "most_gain": round(1 - large / small, 3),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--size", type=height_and_width, default=(240, 320))
    parser.add_argument("--no-batch", action="store_true")
    options = parser.parse_args()
    for name in options.models:
        rows = [folder(name, options.pictures, options.size, limit) for limit in (0, 1 << 30)]
        rows += [] if options.no_batch else batch(name)
        for row in rows:
            print(row, flush=True)
        append("overlap", rows)
