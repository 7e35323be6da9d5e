"""Pictures by rows: how far from the untiled one, what memory, what time a pixel against the whole trunk.

    python -m esrgan_benchmarks rows [--models NAME...] [--sizes HxW...] [--threads N]
    python -m esrgan_benchmarks rows --large HxW --of HxW --models NAME

`--large`: a part of a large picture, from file to file; `--of`: how large that is.

Each case runs in a process of its own, so that its peak memory is its own. Times are of the processor, of all
threads, since the machine may have other work; errors are in 8-bit levels.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from esrgan_benchmarks.core.cases import height_and_width
from esrgan_benchmarks.core.measure import in_child, peak_memory
from esrgan_benchmarks.core.record import Row, append, latest, measured_on
from esrgan_torch import Picture, Tiling, Upscaler
from esrgan_torch.images.picture import Pixels
from esrgan_torch.images.write_rows import write_rows
from esrgan_weights import load

MODELS = ("esrgan-lite-x4", "realesrgan-x4plus-anime", "realesrgan-x4plus")
SIZES = ("64x64", "128x256", "256x512", "65x1023", "128x2048")
BAND = 64


def texture(height: int, width: int) -> Pixels:
    """Edges, waves and noise, the same for every size at the same place."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = np.stack([np.sin(x / period) * np.cos(y / (period + 2)) for period in (3, 7, 19)], axis=2)
    edges = ((x // 23 + y // 31) % 2)[:, :, None] * 60
    noise = np.random.default_rng(0).normal(0, 6, (height, width, 3))
    return np.clip(120 + 60 * waves + edges + noise, 0, 255).astype(np.uint8)


def whole(name: str, pixels: Pixels, threads: int) -> tuple[Pixels, float, int]:
    """The picture with its trunk whole; seconds of the processor, bytes at the peak."""
    torch.set_num_threads(threads)
    upscaler = Upscaler(load(name), "cpu", "float32", Tiling("exact"))
    upscaler(pixels[:32, :32])
    before, started = peak_memory(), time.process_time()
    result = upscaler.upscale(Picture(pixels))
    assert len(result.plan.windows) == 1
    assert not result.plan.by_rows
    return result.picture.pixels, time.process_time() - started, peak_memory() - before


def by_rows(name: str, pixels: Pixels, threads: int) -> tuple[Pixels, float, int, int]:
    """The picture by rows; likewise, and the bytes that were planned."""
    torch.set_num_threads(threads)
    upscaler = Upscaler(load(name), "cpu", "float32")
    height, width = pixels.shape[:2]
    for _ in upscaler.upscale_rows([pixels[:32, :32]], 32, 32):
        pass
    planned = upscaler.plan_rows(height, width)
    large = np.zeros((height * 4, width * 4, 3), np.uint8)  # its pages are counted when they are written
    large[:] = 1
    before, started = peak_memory(), time.process_time()
    bands = (pixels[top : top + BAND] for top in range(0, height, BAND))
    top = 0
    for band in upscaler.upscale_rows(bands, height, width):
        large[top : top + len(band)] = band
        top += len(band)
    return large, time.process_time() - started, peak_memory() - before, planned


def measure(name: str, size: tuple[int, int], threads: int) -> Row:
    """A row: exactness, memory and time of one network at one size."""
    pixels = texture(*size)
    expected, whole_seconds, whole_memory = in_child(whole, name, pixels, threads)
    large, seconds, memory, planned = in_child(by_rows, name, pixels, threads)
    error = np.abs(large.astype(np.int64) - expected)
    area = size[0] * size[1]
    return {
        "network": name,
        "size": f"{size[0]}x{size[1]}",
        "max": int(error.max()),
        "other": round(float((error > 0).mean()), 8),
        "memory": memory,
        "planned": planned,
        "whole_memory": whole_memory,
        "microseconds": round(seconds / area * 1e6, 2),
        "whole_microseconds": round(whole_seconds / area * 1e6, 2),
    }


def large_part(name: str, part: tuple[int, int], of: tuple[int, int], threads: int) -> Row:
    """A row of the upper part of a large picture, from a TIFF file to another; memory is that of all."""
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "given.tif", Path(folder) / "larger.tif"
        write_rows(source, _tiled(*part), *part, Picture(np.zeros((1, 1, 3), np.uint8)))
        before = peak_memory()
        upscaler = Upscaler(load(name), "cpu", "float32")
        planned = upscaler.plan_rows(of[0], part[1])  # what counts is the width
        started, clock = time.process_time(), time.perf_counter()
        upscaler.upscale_file(source, target, max_pixels=part[0] * part[1])
        seconds, wall = time.process_time() - started, time.perf_counter() - clock
        return {
            "network": name,
            "part": f"{part[0]}x{part[1]}",
            "of": f"{of[0]}x{of[1]}",
            "memory": peak_memory() - before,
            "peak": peak_memory(),
            "planned": planned,
            "microseconds": round(seconds / part[0] / part[1] * 1e6, 2),
            "seconds": round(wall, 1),
            "result_bytes": target.stat().st_size,
            "hours_of_processor_for_all": round(seconds / part[0] * of[0] / part[1] * of[1] / 3600, 2),
        }


def table(rows: list[Row]) -> str:
    """Rows of this study: those of sizes, then those of parts of large pictures."""
    sizes = sorted(latest([row for row in rows if "size" in row], "network", "size"), key=_network)
    parts = latest([row for row in rows if "part" in row], "network", "of")
    lines = [
        "| network | size | largest error | other values | time, whole picture = 1 | memory | planned "
        "| whole |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['network']} | {row['size']} | {row['max']} | {row['other'] * 1e6:.0f} in a million "
        f"| {row['microseconds'] / row['whole_microseconds']:.2f} | {_mib(row['memory'])} "
        f"| {_mib(row['planned'])} | {_mib(row['whole_memory'])} |"
        for row in sizes
    ]
    lines += [
        "",
        "| network | of | computed | in | memory with the network | planned | processor time a pixel "
        "| hours of a core for all |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['network']} | {row['of']} | {row['part']} | {row['seconds']:,.0f} s "
        f"| {_mib(row['memory'])} | {_mib(row['planned'])} "
        f"| {row['microseconds']:.1f} µs | {row['hours_of_processor_for_all']:.2f} |"
        for row in parts
    ]
    return "\n".join([*lines, "", measured_on(rows)])


def _network(row: Row) -> str:
    return str(row["network"])


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"


def _tiled(height: int, width: int) -> Iterator[Pixels]:
    one = texture(BAND, 1000)
    row = np.tile(one, (1, -(-width // 1000), 1))[:, :width]
    for top in range(0, height, BAND):
        yield np.roll(row, top * 7, axis=1)[: min(BAND, height - top)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument(
        "--sizes", nargs="+", type=height_and_width, default=[height_and_width(size) for size in SIZES]
    )
    parser.add_argument("--large", type=height_and_width)
    parser.add_argument("--of", type=height_and_width)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)  # so says the row
    for name in options.models:
        if options.large is not None:
            rows = [in_child(large_part, name, options.large, options.of or options.large, options.threads)]
            print(rows[0], flush=True)
            append("rows", rows)
            continue
        for size in options.sizes:
            row = measure(name, size, options.threads)
            print(row, flush=True)
            append("rows", [row])
