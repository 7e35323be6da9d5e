"""Folders of pictures on one machine and by Ray's workers, and what many pictures would cost.

    python -m esrgan_benchmarks scale [--model NAME] [--side PX] [--few N] [--many N] [--rounds N]

Each way makes `few` pictures and `many`: the difference is the time a picture, what is left is the start. A
worker has one thread, as has the one machine that it is compared with: two workers have the cores of two
machines.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from esrgan_benchmarks.core.record import Row, append, latest, measured_on, newest
from esrgan_benchmarks.studies.web import PHOTO

WAYS = {
    "one machine": (),
    "Ray, 1 worker": ("--run-on", "ray", "--workers", "1"),
    "Ray, 2 workers": ("--run-on", "ray", "--workers", "2"),
}
PICTURES = (1_000, 1_000_000, 1_000_000_000)
MEGAPIXELS = 1.0
MACHINES = 100
HOUR = 3600
SHOWN = ("esrgan-lite-x4", "realesr-animevideov3", "realesrgan-x4plus")


@dataclass(frozen=True)
class Cost:
    """What pictures cost on machines of one kind: a start, and a time for each picture and megapixel.

    Args:
        start: seconds until the first result, on each machine.
        picture: seconds a picture beside the network: reading, sending, writing.
        megapixel: seconds of the network.
    """

    start: float
    picture: float
    megapixel: float

    def hours(self, pictures: float, megapixels: float, machines: int = 1) -> float:
        """Hours until all are done, if they are shared out evenly; `megapixels` is the size of one."""
        return (self.start + pictures / machines * (self.picture + megapixels * self.megapixel)) / HOUR

    def money(self, pictures: float, megapixels: float, machines: int, price: float) -> float:
        """What it costs, at a price for an hour of one machine."""
        return self.hours(pictures, megapixels, machines) * machines * price


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="esrgan-lite-x4")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--few", type=int, default=8)
    parser.add_argument("--many", type=int, default=72)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    taken: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for count in (options.few, options.many):
            draw(folder / str(count), count, options.side)
        for number in range(options.rounds):
            for way, arguments in WAYS.items():
                for count in (options.few, options.many):
                    output = folder / f"{number} {way} {count}"
                    seconds = run(folder / str(count), output, options.model, arguments)
                    taken.setdefault((way, count), []).append(seconds)
                    print(f"{way}, {count} pictures: {seconds:.1f} s", flush=True)
    rows = [row_of(way, taken, options.few, options.many) for way in WAYS]
    facts = {"network": options.model, "side": options.side, "pictures": [options.few, options.many]}
    append("scale", [{**row, **facts, "load": round(os.getloadavg()[0], 1)} for row in rows])
    for row in rows:
        print(row)


def row_of(way: str, taken: dict[tuple[str, int], list[float]], few: int, many: int) -> Row:
    """The least times: what else the machine did can only add to them."""
    short, long = min(taken[way, few]), min(taken[way, many])
    picture = (long - short) / (many - few)
    return {
        "way": way,
        "seconds": [round(short, 3), round(long, 3)],
        "a_picture": round(picture, 5),
        "start": round(short - few * picture, 3),
    }


def draw(folder: Path, count: int, side: int) -> None:
    """Parts of a photo as JPEGs."""
    folder.mkdir()
    with Image.open(PHOTO) as photo:
        for number in range(count):
            left, top = number * 3 % (photo.width - side), number * 5 % (photo.height - side)
            photo.convert("RGB").crop((left, top, left + side, top + side)).save(folder / f"{number:05}.jpg")


def run(folder: Path, output: Path, model: str, arguments: tuple[str, ...]) -> float:
    """Seconds of the command, its start included."""
    command = [
        sys.executable,
        "-m",
        "esrgan_cli",
        "upscale",
        str(folder),
        "-o",
        str(output),
        "--model",
        model,
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    began = time.perf_counter()
    subprocess.run(
        [*command, "--dtype", "float32", *arguments],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def ways(rows: list[Row]) -> str:
    """Rows of this study, and what the model makes of the first of Ray's for the second."""
    rows = latest(newest(rows), "way")
    by_way = {row["way"]: row for row in rows}
    alone, one, two = (by_way[way] for way in WAYS)
    many = two["pictures"][1]
    lines = [
        "| way | start | a picture | pictures a second | beside one machine |",
        "|---|---|---|---|---|",
        *(
            f"| {row['way']} | {row['start']:.1f} s | {row['a_picture'] * 1000:.0f} ms "
            f"| {1 / row['a_picture']:.1f} | {alone['a_picture'] / row['a_picture']:.2f} |"
            for row in rows
        ),
    ]
    foreseen = Cost(one["start"], one["a_picture"], 0.0).hours(many, 0.0, 2) * HOUR
    lines += [
        "",
        f"{many} pictures by two workers: {foreseen:.1f} s by the model from one worker's row, "
        f"{two['seconds'][1]:.1f} s measured. {alone['network']} in float32, JPEGs of {alone['side']} x "
        f"{alone['side']} pixels, one thread each, the least of several times.",
        "",
        measured_on(rows),
    ]
    return "\n".join(lines)


def cost(rows: list[Row], runtimes: list[Row]) -> str:
    """Hours of many pictures, from rows of this study and those of `esrgan bench`."""
    native = (row for row in runtimes if row["runtime"] == "esrgan-torch-native" and row.get("isa") is None)
    speeds = {(row["network"], row["shape"][1], row["shape"][2]): row for row in native}  # the latest of each
    by_way = {row["way"]: row for row in latest(newest(rows), "way")}
    alone, one, _ = (by_way[way] for way in WAYS)
    beside = max(0.0, one["a_picture"] - alone["a_picture"])
    lines = [
        "| network | seconds a megapixel | " + " | ".join(f"{count:,}" for count in PICTURES) + " |",
        "|---|---|" + "---|" * len(PICTURES),
    ]
    used: list[Row] = []
    for network in SHOWN:
        row = speeds[max(case for case in speeds if case[0] == network)]
        megapixel = row["seconds"]["median"] / (row["shape"][1] * row["shape"][2] / 1e6)
        model = Cost(one["start"], beside, megapixel)
        hours = (model.hours(count, MEGAPIXELS) for count in PICTURES)
        lines.append(f"| {network} | {megapixel:.2f} | " + " | ".join(map(_hours, hours)) + " |")
        used.append(row)
    return "\n".join([*lines, "", measured_on(used)])


def _hours(hours: float) -> str:
    return f"{hours:,.1f} h" if hours < MACHINES else f"{hours:,.0f} h"
