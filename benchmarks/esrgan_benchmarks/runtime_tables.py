"""Tables of the rows that `esrgan bench` writes: runtimes, the machine's ceiling, quality."""

from collections.abc import Iterable
from typing import Any

from esrgan_benchmarks.record import Row, by_machine, fullest, latest, measured_on, newest

KEYS = ("network", "shape_text", "runtime", "device", "processor", "cores")


def current(rows: Iterable[Row]) -> list[Row]:
    """Of the rows of `runtimes` the newest of each kind, ordered by network, work and time."""
    named = [{**row, "shape_text": shape_text(row["shape"])} for row in rows]
    found = latest(named, *KEYS)
    return sorted(found, key=lambda row: (row["network"], pixels(row), row["seconds"]["median"]))


def shape_text(shape: list[int]) -> str:
    """Such as "128x128", or "4 x 64x64" for four pictures at once."""
    batch, height, width, _ = shape
    return f"{batch} x {height}x{width}" if batch > 1 else f"{height}x{width}"


def pixels(row: Row) -> tuple[int, int]:
    """For sorting: pixels of a picture, then how many pictures."""
    batch, height, width, _ = row["shape"]
    return height * width, batch


def seconds_text(seconds: float) -> str:
    """With three digits: 0.0123 s, 1.23 s, 123 s."""
    return f"{float(f'{seconds:.3g}'):g} s"


def quality_text(psnr: float | None) -> str:
    return "equal" if psnr is None else f"{psnr:.1f} dB"


def line_of(row: Row) -> str:
    """One row of any kind as a line on a terminal."""
    if "kind" in row:
        rate = f"{row['gflops']} GFLOP/s" if "gflops" in row else f"{row['gbytes']} GB/s"
        return f"ceiling: {row['kind']}, {row['dtype']}: {rate}"
    if "psnr_y" in row:
        cost = row["seconds_a_megapixel"]
        time = "" if cost is None else f", {seconds_text(cost)} a megapixel"
        return f"{row['network']} on {row['dataset']}: {row['psnr_y']:.2f} dB, SSIM {row['ssim_y']:.4f}{time}"
    return (
        f"{row['network']} {shape_text(row['shape'])}  {row['runtime']:24} {row['dtype']:8} "
        f"{seconds_text(row['seconds']['median']):>9}, {row['of_reference']['median']:.2f} of reference, "
        f"{row['peak'] / 1e6:.0f} MB, {quality_text(row['psnr'])}"
    )


def times(rows: list[Row]) -> str:
    """Machine by machine a table a network: runtimes down, inputs across; the fastest of an input in bold."""
    return "\n\n".join(_times(mine) for mine in by_machine(rows))


def _times(rows: list[Row]) -> str:
    rows = current(rows)
    parts: list[str] = []
    for network in dict.fromkeys(row["network"] for row in rows):
        mine = [row for row in rows if row["network"] == network]
        shapes = list(dict.fromkeys(row["shape_text"] for row in sorted(mine, key=pixels)))
        fastest = {
            shape: min(row["seconds"]["median"] for row in mine if row["shape_text"] == shape)
            for shape in shapes
        }
        lines = [
            f"| {network} | precision | {' | '.join(shapes)} |",
            f"|---|---|{'---|' * len(shapes)}",
        ]
        order = sorted(mine, key=lambda row: row["of_reference"]["median"])
        for runtime, dtype in dict.fromkeys((row["runtime"], row["dtype"]) for row in order):
            cells: list[str] = []
            for shape in shapes:
                found = [row for row in mine if (row["runtime"], row["shape_text"]) == (runtime, shape)]
                cells.append(_time_cell(found[0], fastest[shape]) if found else "")
            lines.append(f"| {runtime} | {dtype} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, measured_on(rows)])


def costs(rows: list[Row]) -> str:
    """What a runtime costs beside its time, on the input of each network that most runtimes ran.

    Of the machine that measured most runtimes.
    """
    rows = broadest(current(fullest(rows)))
    lines = [
        "| network, input | runtime | load | first call | peak memory | GFLOP/s | PSNR | largest error |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        memory = f"{row['peak'] / 1e6:.0f} MB"
        if row["device_peak"] is not None:
            memory += f", device {row['device_peak'] / 1e6:.0f} MB"
        lines.append(
            f"| {row['network']}, {row['shape_text']} | {row['runtime']} | {seconds_text(row['load'])} "
            f"| {seconds_text(row['first_call'])} | {memory} | {row['gflops']:.0f} "
            f"| {quality_text(row['psnr'])} | {row['largest']:.1e} |"
        )
    return "\n".join([*lines, "", measured_on(rows)])


def broadest(rows: list[Row]) -> list[Row]:
    """Of each network the rows of the one input that most runtimes were measured on; of equals the larger."""
    chosen: list[Row] = []
    for network in dict.fromkeys(row["network"] for row in rows):
        groups: dict[str, list[Row]] = {}
        for row in rows:
            if row["network"] == network:
                groups.setdefault(row["shape_text"], []).append(row)
        chosen += max(groups.values(), key=lambda group: (len(group), pixels(group[0])))
    return chosen


def left_out(rows: list[Row]) -> str:
    """Runtimes without a number in a case, and why; of the machine that measured last."""
    rows = newest(rows)
    lines = ["| case | runtime | why it has no row |", "|---|---|---|"]
    lines += [
        f"| {row['case']} | {row['runtime']} | {row['reason']} |" for row in latest(rows, "case", "runtime")
    ]
    return "\n".join([*lines, "", measured_on(rows)])


def ceilings(rows: list[Row]) -> str:
    """The best that the machine was seen to do."""
    lines = ["| machine | what | precision | threads | rate |", "|---|---|---|---|---|"]
    for row in best_ceilings(rows):
        rate = f"{row['gflops']:.0f} GFLOP/s" if "gflops" in row else f"{row['gbytes']:.1f} GB/s"
        machine = row["gpu"] if row["device"] == "cuda" else row["processor"]
        if row["device"] == "cpu" and row["bfloat16"]:
            machine += ", bfloat16"
        lines.append(f"| {machine} | {row['kind']} | {row['dtype']} | {row['threads_asked']} | {rate} |")
    return "\n".join([*lines, "", measured_on(rows)])


def best_ceilings(rows: Iterable[Row]) -> list[Row]:
    """The highest rate of each kind and precision on each machine."""
    best: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = (
            row["kind"],
            row["dtype"],
            row["device"],
            row["processor"],
            row["bfloat16"],
            row["threads_asked"],
        )
        if key not in best or rate_of(row) > rate_of(best[key]):
            best[key] = row
    return list(best.values())


def rate_of(row: Row) -> float:
    """Of a ceiling: GFLOP/s, or GB/s for a copy."""
    return float(row["gflops"] if "gflops" in row else row["gbytes"])


def quality(rows: list[Row]) -> str:
    """Networks by the time that they take."""
    rows = quality_rows(rows)
    lines = [
        "| network | set | PSNR-Y | SSIM-Y | time a megapixel of the result | parameters |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        cost = row["seconds_a_megapixel"]
        time = "" if cost is None else seconds_text(cost)
        lines.append(
            f"| {row['network']} | {row['dataset']} | {row['psnr_y']:.2f} dB | {row['ssim_y']:.4f} | {time} "
            f"| {row['parameters']:,} |"
        )
    return "\n".join([*lines, "", measured_on(rows)])


def quality_rows(rows: Iterable[Row]) -> list[Row]:
    """Of the machine that measured last, the quickest first, interpolation before them."""
    found = latest(newest(rows), "network", "dataset", "device")
    return sorted(found, key=lambda row: row["seconds_a_megapixel"] or 0)


def _time_cell(row: Row, fastest: float) -> str:
    text = f"{seconds_text(row['seconds']['median'])} ({row['of_reference']['median']:.2f})"
    return f"**{text}**" if row["seconds"]["median"] == fastest else text
