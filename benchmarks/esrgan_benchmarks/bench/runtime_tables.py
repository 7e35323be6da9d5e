"""Tables of the rows that `esrgan bench` writes: runtimes, the machine's ceiling, quality."""

import math
from collections.abc import Iterable
from typing import Any

from esrgan_benchmarks.core.record import Row, by_machine, latest, measured_on, newest

BASELINE = "bicubic"
SETTING = ("device", "processor", "cores", "bfloat16", "threads_asked", "isa")
KEYS = ("network", "shape_text", "runtime", *SETTING)
DISTURBED = "~: other processes used the processor too"
OTHER_RUN = (
    "†: of another run than the reference above or below it; the machine's speed may differ, the ratio less"
)


def current(rows: Iterable[Row]) -> list[Row]:
    """Of the rows of `runtimes` the newest of each kind, ordered by network, work and time.

    With what older rows do not say: `ratio`, the median divided by that of the reference in the same run
    (None where that was too slow to be measured), and `same_run`, whether that is the newest reference's run.
    """
    named: list[Row] = [
        {"isa": None, "disturbed": 0, "disturbed_start": False, **row, "shape_text": shape_text(row["shape"])}
        for row in rows
    ]
    references = {
        (row["run"], *case_key(row)): row["seconds"]["median"] for row in named if is_reference(row)
    }
    newest_run = {case_key(row): row["run"] for row in named if is_reference(row)}
    found: list[Row] = []
    for row in latest(named, *KEYS):
        reference = references.get((row["run"], *case_key(row)))
        if reference is not None:
            ratio = round(row["seconds"]["median"] / reference, 4)
        else:
            ratio = None if row["of_reference"] is None else row["of_reference"]["median"]
        found.append(
            {**row, "ratio": ratio, "same_run": newest_run.get(case_key(row), row["run"]) == row["run"]}
        )
    return sorted(found, key=lambda row: (row["network"], pixels(row), row["seconds"]["median"]))


def is_reference(row: Row) -> bool:
    """Whether the others of its run were compared with this runtime."""
    if "reference" in row:
        return row["reference"] == row["runtime"]
    return row["of_reference"]["upper"] == row["of_reference"]["lower"] == 1


def by_setting(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each machine and number of threads, that which measured last first."""
    settings: list[list[Row]] = []
    for mine in by_machine(rows):
        found: dict[tuple[Any, ...], list[Row]] = {}
        for row in mine:
            found.setdefault((row["threads_asked"], row.get("isa")), []).append(row)
        settings += reversed(found.values())
    return settings


def fullest(rows: Iterable[Row]) -> list[Row]:
    """The rows of the machine that measured most runtimes, held to nothing; of equals the last one."""
    settings = by_setting(rows)
    settings = [mine for mine in settings if mine[0].get("isa") is None] or settings
    return max(settings, key=lambda mine: len({row["runtime"] for row in mine})) if settings else []


def rank(row: Row) -> tuple[bool, float]:
    """For sorting the runtimes of one case: by ratio, or by time where there is no reference."""
    return (row["ratio"] is None, row["seconds"]["median"] if row["ratio"] is None else row["ratio"])


def case_key(row: Row) -> tuple[Any, ...]:
    """Network, input, and all that is set: rows that agree in it may be compared."""
    return tuple(row[key] for key in ("network", "shape_text", *SETTING))


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
    ratio = "" if row["ratio"] is None else f", {row['ratio']:.2f} of reference"
    disturbed = f", disturbed: others used up to {max(row['others']):.2f} cores" if row["disturbed"] else ""
    return (
        f"{row['network']} {shape_text(row['shape'])}  {row['runtime']:24} {row['dtype']:8} "
        f"{seconds_text(row['seconds']['median']):>9}{ratio}, "
        f"{row['peak'] / 1e6:.0f} MB, {quality_text(row['psnr'])}{disturbed}"
    )


def times(rows: list[Row]) -> str:
    """Machine by machine a table a network: runtimes down, inputs across; the fastest of an input in bold.

    Sorted by the input that most runtimes ran, whose head is marked.
    """
    return "\n\n".join(_times(mine) for mine in by_setting(rows))


def _times(rows: list[Row]) -> str:
    rows = current(rows)
    parts: list[str] = []
    for network in dict.fromkeys(row["network"] for row in rows):
        mine = [row for row in rows if row["network"] == network]
        columns: dict[str, list[Row]] = {}
        for row in sorted(mine, key=lambda row: (pixels(row), rank(row))):
            columns.setdefault(row["shape_text"], []).append(row)
        leading = broadest(mine)[0]["shape_text"]
        heads = [f"{shape} ▾" if shape == leading and len(columns) > 1 else shape for shape in columns]
        lines = [
            f"| {network} | precision | {' | '.join(heads)} |",
            f"|---|---|{'---|' * len(heads)}",
        ]
        order = [*columns[leading], *sorted(mine, key=rank)]
        for runtime, dtype in dict.fromkeys((row["runtime"], row["dtype"]) for row in order):
            cells: list[str] = []
            for column in columns.values():
                found = [row for row in column if (row["runtime"], row["dtype"]) == (runtime, dtype)]
                cells.append(_time_cell(found[0], fastest=column[0]) if found else "")
            lines.append(f"| {runtime} | {dtype} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    notes = [DISTURBED] if any(row["disturbed"] for row in rows) else []
    notes += [OTHER_RUN] if not all(row["same_run"] for row in rows) else []
    return "\n\n".join([*parts, "\n".join([*(f"{note}." for note in notes), measured_on(rows)])])


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
        then, now = ("~" if row[key] else "" for key in ("disturbed_start", "disturbed"))
        memory = f"{row['peak'] / 1e6:.0f} MB"
        if row["device_peak"] is not None:
            memory += f", device {row['device_peak'] / 1e6:.0f} MB"
        lines.append(
            f"| {row['network']}, {row['shape_text']} | {row['runtime']} | {then}{seconds_text(row['load'])} "
            f"| {then}{seconds_text(row['first_call'])} | {memory} | {now}{row['gflops']:.0f} "
            f"| {quality_text(row['psnr'])} | {row['largest']:.1e} |"
        )
    disturbed = any(row["disturbed"] or row["disturbed_start"] for row in rows)
    return "\n".join([*lines, "", *([f"{DISTURBED}."] if disturbed else []), measured_on(rows)])


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
    for row in latest(rows, "case", "runtime"):
        # of several lines, and with bars, as a runtime said it; older rows end in the colon before a list
        reason = "; ".join(row["reason"].rstrip(":").splitlines()).replace("|", "/")
        lines.append(f"| {row['case']} | {row['runtime']} | {reason} |")
    return "\n".join([*lines, "", measured_on(rows)])


def ceilings(rows: list[Row]) -> str:
    """The best that the machine was seen to do."""
    lines = ["| machine | what | precision | threads | rate |", "|---|---|---|---|---|"]
    for row in best_ceilings(rows):
        rate = f"{row['gflops']:.0f} GFLOP/s" if "gflops" in row else f"{row['gbytes']:.1f} GB/s"
        rate = f"~{rate}" if row.get("disturbed") else rate
        machine = row["gpu"] if row["device"] == "cuda" else row["processor"]
        if row["device"] == "cpu" and row["bfloat16"]:
            machine += ", bfloat16"
        lines.append(f"| {machine} | {row['kind']} | {row['dtype']} | {row['threads_asked']} | {rate} |")
    disturbed = any(row.get("disturbed") for row in best_ceilings(rows))
    return "\n".join([*lines, "", *([f"{DISTURBED}."] if disturbed else []), measured_on(rows)])


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
    # interpolation is not timed, its threads say nothing
    return "\n".join([*lines, "", measured_on([row for row in rows if row["network"] != BASELINE] or rows)])


def quality_rows(rows: Iterable[Row]) -> list[Row]:
    """Of the machine that measured last, the quickest first, interpolation before them."""
    found = latest(newest(rows), "network", "dataset", "device")
    return sorted(found, key=_cost)


def _cost(row: Row) -> float:
    if row["seconds_a_megapixel"] is not None:
        return float(row["seconds_a_megapixel"])
    return 0.0 if row["network"] == BASELINE else math.inf


def _time_cell(row: Row, fastest: Row) -> str:
    text = seconds_text(row["seconds"]["median"])
    if row["ratio"] is not None:
        text += f" ({row['ratio']:.2f})"
    text = ("~" if row["disturbed"] else "") + text + ("" if row["same_run"] else " †")
    return f"**{text}**" if row is fastest else text
