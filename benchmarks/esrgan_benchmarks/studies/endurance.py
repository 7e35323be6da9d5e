"""Memory of one process over thousands of pictures, each of another size.

    python -m esrgan_benchmarks endurance [--pictures N] [--cases NAME...] [--to PX]

Each case runs in a process of its own, with the variables that `esrgan` sets for itself: what PyTorch and
oneDNN keep for each size is bounded by them. Networks are small and have random weights: what is kept depends
on sizes and layers, not on what these hold.
"""

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
import psutil
import torch

from esrgan_benchmarks.core.measure import in_child
from esrgan_benchmarks.core.record import Row, append, latest, measured_on
from esrgan_torch import Upscaler
from esrgan_torch.engines.kinds import EngineName
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RRDBNet

CACHES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64", "LRU_CACHE_CAPACITY": "64"}
MARKS = (500, 2000, 6000)  # pictures after which memory is told in the table


def _compact() -> Generator:
    return CompactNet(features=16, convolutions=4)


def _rrdb() -> Generator:
    return RRDBNet(features=16, blocks=2, growth=8)


CASES: dict[str, tuple[EngineName, Callable[[], Generator]]] = {
    "native, RRDBNet": ("native", _rrdb),
    "openvino, RRDBNet": ("openvino", _rrdb),
    "packed, RRDBNet": ("eager", _rrdb),  # PyTorch with weights packed by oneDNN
    "eager, CompactNet": ("eager", _compact),
}


def endured(case: str, count: int, largest: int) -> Row:
    """One engine's memory in bytes after every 500 pictures."""
    torch.manual_seed(0)
    engine, make = CASES[case]
    upscaler = Upscaler(make(), "cpu", "float32", engine=engine)
    numbers = np.random.default_rng(0)
    process = psutil.Process()
    started = time.perf_counter()
    held: list[int] = []
    for number in range(1, count + 1):
        height, width = numbers.integers(8, largest, 2, endpoint=True)
        upscaler(numbers.integers(0, 256, (height, width, 3), np.uint8))
        if number % MARKS[0] == 0:
            held.append(process.memory_info().rss)
    seconds = round(time.perf_counter() - started, 1)
    return {"case": case, "largest": largest, "every": MARKS[0], "held": held, "seconds": seconds}


def table(rows: list[Row]) -> str:
    """Megabytes after so many pictures, and by how much the last that there is is more than the first."""
    rows = latest(rows, "case")
    lines = [
        f"| engine | {' | '.join(f'after {mark:,} pictures' for mark in MARKS)} | growth |",
        f"|---|{'---|' * len(MARKS)}---|",
    ]
    for row in rows:
        numbers = [mark // row["every"] for mark in MARKS]
        held: list[int] = [row["held"][number - 1] for number in numbers if number <= len(row["held"])]
        told = " | ".join([*(f"{each / 1e6:.0f} MB" for each in held), *["–"] * (len(MARKS) - len(held))])
        lines.append(f"| {row['case']} | {told} | {held[-1] / held[0] - 1:.1%} |")
    return "\n".join([*lines, "", measured_on(rows)])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=MARKS[-1])
    parser.add_argument("--cases", nargs="+", choices=tuple(CASES), default=tuple(CASES))
    parser.add_argument("--to", type=int, default=96, metavar="PX", help="the longest side")
    options = parser.parse_args()
    for name, value in CACHES.items():
        os.environ.setdefault(name, value)
    for case in options.cases:
        row: Row = in_child(endured, case, options.pictures, options.to)
        held = " ".join(f"{each / 1e6:.0f}" for each in row["held"])
        print(f"{case}: {row['seconds']} s; MB after every {row['every']}: {held}", flush=True)
        if len(row["held"]) * row["every"] >= MARKS[1]:  # fewer are a look, and have no place in the table
            append("endurance", [row])
