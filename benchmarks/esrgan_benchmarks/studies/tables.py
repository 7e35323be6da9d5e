"""The tables of the documentation, made from the recorded rows.

    python -m esrgan_benchmarks tables FILE.md...

A file says where a table goes with a pair of comments; what stands between them is replaced:

    <!-- rows: speed -->
    <!-- end of rows -->
"""

import argparse
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from esrgan_benchmarks.bench.tables import BENCH_TABLES
from esrgan_benchmarks.core.record import RESULTS, Row, latest, measured_on, newest, read
from esrgan_benchmarks.studies import (
    conversion_tables,
    cpu,
    endurance,
    films,
    levels,
    native_layers,
    reading,
    reliability,
    same_cost,
    scale,
    students,
    training_tables,
    vulkan,
    web_tables,
    weight_peers,
)
from esrgan_benchmarks.studies import rows as by_rows
from esrgan_torch.storage.atomic import atomic_path
from esrgan_torch.tiling.modes import plan_tiles

PLACE = re.compile(r"(<!-- rows: (?P<name>\S+) -->\n).*?(<!-- end of rows -->)", re.DOTALL)


def speed(rows: list[Row]) -> str:
    """Rows of `esrgan_benchmarks.studies.speed`."""
    rows = latest(newest(rows), "case", "network")
    lines = [
        "| case | median | quartiles | time, reference = 1 | bare network = 1 | GFLOP/s | PSNR |",
        "|---|---|---|---|---|---|---|",
    ]
    shown = {row["case"]: row["seconds"]["median"] for row in rows}
    for row in rows:
        seconds = row["seconds"]
        quality = "equal" if row["psnr"] is None else f"{row['psnr']:.1f} dB"
        # of the medians that stand here, so that a reader finds the same
        ratios = (seconds["median"] / shown[other] for other in ("reference", f"bare {row['dtype']}"))
        of_reference, of_bare = (f"{ratio:.2f}" for ratio in ratios)
        lines.append(
            f"| {row['case']} | {seconds['median']:.2f} s | {seconds['lower']:.2f}-{seconds['upper']:.2f} s "
            f"| {of_reference} | {of_bare} | {row['gflops']:.0f} | {quality} |"
        )
    return "\n".join([*lines, "", measured_on(rows)])


def memory(rows: list[Row]) -> str:
    """Rows of `esrgan_benchmarks.studies.memory`."""
    rows = latest(newest(rows), "case", "dtype", "network")
    lines = [
        "| network | case | precision | input | peak of the process | bytes an input pixel | time |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['network']} | {row['case']} | {row['dtype']} | {row['shape'][0]}x{row['shape'][1]} "
        f"| {row['peak'] / 1e9:.2f} GB | {row['bytes_a_pixel']:,} | {row['seconds']:.0f} s |"
        for row in rows
    ]
    return "\n".join([*lines, "", measured_on(rows)])


def tiling(rows: list[Row]) -> str:
    """Rows of `esrgan_benchmarks.studies.tiling`."""
    rows = latest(rows, "network", "photo", "way")
    lines = [
        "| network | way | photo | PSNR | mean error | largest error | work | time | memory |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        quality = "equal" if row["psnr"] is None else f"{row['psnr']:.1f} dB"
        errors = f"{quality} | {row['mean']:.3f} | {row['max']}"
        costs = f"{_work(row):.2f} | {row['seconds']:.1f} s | {row['memory'] / 2**20:.0f} MiB"
        lines.append(f"| {row['network']} | {_way(row)} | {row['photo']} | {errors} | {costs} |")
    return "\n".join([*lines, "", measured_on(rows)])


def images(rows: list[Row]) -> str:
    """Rows of `esrgan_benchmarks.studies.images`: writing and reading side by side."""
    rows = latest(rows, "case", "format", "bits", "processor")
    lines = [
        "| format | bits | writing a megapixel | reading a megapixel | bytes a pixel |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        if row["case"] == "write":
            kind = ("read", row["format"], row["bits"])
            read_row = next(
                other for other in rows if (other["case"], other["format"], other["bits"]) == kind
            )
            lines.append(
                f"| {row['format']} | {row['bits']} | {row['seconds_a_megapixel'] * 1e3:.0f} ms "
                f"| {read_row['seconds_a_megapixel'] * 1e3:.0f} ms | {row['bytes_a_pixel']:.2f} |"
            )
    return "\n".join([*lines, "", measured_on(rows)])


def _work(row: Row) -> float:
    """Pixels that the trunk computes, divided by those of the picture."""
    if not row["way"].startswith("overlap "):
        return 1.0
    height, width, _ = row["shape"]
    tiles = plan_tiles(height, width, row["tile"], int(row["way"].split()[1]))
    return sum(tile.window.height * tile.window.width for tile in tiles) / (height * width)


def _way(row: Row) -> str:
    if row["way"] == "off":
        return "untiled"
    return f"**{row['way']}**" if row["exact"] else str(row["way"])


TABLES: dict[str, tuple[tuple[str, ...], Callable[..., str]]] = {
    **BENCH_TABLES,
    "reliability": (("reliability",), reliability.table),
    "endurance": (("endurance",), endurance.table),
    "speed": (("speed",), speed),
    "memory": (("memory",), memory),
    "tiling": (("tiling",), tiling),
    "rows": (("rows",), by_rows.table),
    "conversion": (("conversion",), conversion_tables.parity),
    "conversion-onnx": (("conversion_onnx",), conversion_tables.onnx_files),
    "conversion-litert": (("conversion_litert",), conversion_tables.litert_files),
    "lowering-speed": (("lowering_speed",), conversion_tables.lowerings),
    "upsampling": (("upsampling",), conversion_tables.upsampling),
    "cpu": (("cpu",), cpu.table),
    "native-layers": (("native-layers",), native_layers.table),
    "same-cost": (("same-cost",), same_cost.table),
    "conversion-cost": (("conversion_cost",), conversion_tables.cost),
    "quantization": (("quantization",), conversion_tables.quantization),
    "images": (("images",), images),
    "weight-files": (("weight-files",), weight_peers.table),
    "sweep": (("sweep",), training_tables.sweep),
    "run": (("run",), training_tables.run),
    "models": (("models",), training_tables.models),
    "models-x2": (("models",), partial(training_tables.models, scale=2)),
    "training": (("training",), training_tables.training),
    "students": (("students",), students.table),
    "idle-layers": (("idle-layers",), training_tables.idle_layers),
    "films": (("films",), films.table),
    "levels-flat": (("levels",), levels.flat_table),
    "levels-alpha": (("levels",), levels.alpha_table),
    "levels-16": (("levels",), levels.sixteen_table),
    "scale": (("scale",), scale.ways),
    "scale-cost": (("scale", "runtimes"), scale.cost),
    "reading-apart": (("reading",), reading.apart_table),
    "reading-held": (("reading",), reading.held_table),
    "vulkan": (("vulkan",), vulkan.table),
    "web-peer": (("web",), web_tables.peer),
    "web-newcomer": (("web",), web_tables.newcomer),
    "web-graph": (("web",), web_tables.graph),
    "web-photo": (("web",), web_tables.photo),
    "web-engines": (("web-engines",), web_tables.engines),
    "web-emulated": (("web-emulated",), web_tables.emulated),
}
"""Each table's name in a page, the files of its rows, and what makes it."""


def render(text: str, results: Path = RESULTS) -> str:
    """The text with every table in its place made anew."""

    def table(match: re.Match[str]) -> str:
        benchmarks, make = TABLES[match["name"]]
        return match[1] + make(*(read(benchmark, results) for benchmark in benchmarks)) + "\n" + match[3]

    return PLACE.sub(table, text)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    for path in parser.parse_args().files:
        with atomic_path(path) as temporary:
            temporary.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")
