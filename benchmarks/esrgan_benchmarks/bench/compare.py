"""What changed between two recordings, beyond noise."""

import math
import statistics
from pathlib import Path
from typing import Any

from esrgan_benchmarks.bench.runtime_tables import case_key, current, is_reference, seconds_text
from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_benchmarks.core.record import Row, read_file

FILE = "runtimes.jsonl"
LEAST_TIME = 0.05  # a smaller change of a median is not told, however narrow the spreads
SPREADS = 1.0  # a change is more than so many of the spreads of both recordings together
LEAST_MEMORY = 0.10


def compare_files(old: Path, new: Path) -> str:
    """Compare two files of rows, or two folders with `runtimes.jsonl` in them; the text for people.

    Raises:
        BenchmarkError: a file is missing or holds something else, or the two have no case in common.
    """
    return compare(_read(old), _read(new))


def compare(old: list[Row], new: list[Row]) -> str:
    """Each runtime and case that both have: time, memory, distance.

    A runtime became slower or faster where its own seconds and its ratio to the reference both say so. Each
    must have changed by more than 5 %, by more than the spread of both recordings and what other processes
    took from either (half the cores: twice the time) can explain, and the ranges between the quartiles must
    not overlap. For the reference the ratio is that to the other runtimes together. What all runtimes of a
    case have in common is the machine's; it is told, and no change. Rows of other machines have no partner.
    """
    before = {_key(row): row for row in current(old)}
    after = {_key(row): row for row in current(new)}
    common = [key for key in after if key in before]
    if not common:
        raise BenchmarkError("the two recordings have no case, runtime and machine in common")
    cases: dict[tuple[Any, ...], list[tuple[Row, Row]]] = {}
    for key in common:
        cases.setdefault(case_key(after[key]), []).append((before[key], after[key]))
    changes: list[str] = []
    notes: list[str] = []
    for pairs in cases.values():
        moves = {new["runtime"]: math.log(_times(old, new)) for old, new in pairs}
        if len(moves) > 1 and (min(moves.values()) > LEAST_TIME or max(moves.values()) < -LEAST_TIME):
            times = math.exp(statistics.median(moves.values()))
            notes.append(
                f"{_case_title(pairs[0][1])}: the machine: {times:.2f} times the time in all runtimes"
            )
        others = [moves[new["runtime"]] for _, new in pairs if not is_reference(new)]
        drift = statistics.median(others) if others else 0.0
        changes += [text for pair in pairs for text in _changes(*pair, drift)]
    disturbed = sum(bool(before[key]["disturbed"] or after[key]["disturbed"]) for key in common)
    if disturbed:
        notes.append(f"{disturbed} of the rows are of a machine that other processes used too")
    lines = [*changes, *notes, f"{len(common)} rows compared, {len(changes)} changes beyond noise"]
    for title, these, those in (("only in the new", after, before), ("only in the old", before, after)):
        missing = [_title(row) for key, row in these.items() if key not in those]
        if missing:
            lines.append(f"{title}: {'; '.join(missing)}")
    return "\n".join(lines)


def _changes(old: Row, new: Row, drift: float) -> list[str]:
    found: list[str] = []
    if slower := _slower(old, new, drift):
        change = _times(old, new) - 1
        text = f"{seconds_text(old['seconds']['median'])} -> {seconds_text(new['seconds']['median'])}"
        text = f"{_title(new)}: {'slower' if slower > 0 else 'faster'}: {text} ({change:+.0%})"
        if old["ratio"] and new["ratio"] and not is_reference(new):
            text += f"; beside the reference {old['ratio']:.3g} -> {new['ratio']:.3g}"
        found.append(text)
    for key, title in (("peak", "memory"), ("device_peak", "device memory")):
        if old[key] and new[key] and abs(new[key] / old[key] - 1) > LEAST_MEMORY:
            found.append(
                f"{_title(new)}: {title} {old[key] / 1e6:.0f} MB -> {new[key] / 1e6:.0f} MB "
                f"({new[key] / old[key] - 1:+.0%})"
            )
    if old["dtype"] != new["dtype"]:
        found.append(f"{_title(new)}: precision {old['dtype']} -> {new['dtype']}")
    elif new["largest"] > 2 * old["largest"] and new["largest"] > 1e-4:
        found.append(
            f"{_title(new)}: further from the reference: {old['largest']:.1e} -> {new['largest']:.1e}"
        )
    return found


def _slower(old: Row, new: Row, drift: float) -> int:
    """1: slower; -1: faster; 0: neither, as far as these recordings tell."""
    stretch = max(_stretch(old), _stretch(new))
    own = _change(old["seconds"], new["seconds"], stretch)
    if is_reference(new):
        beside = _change(old["seconds"], new["seconds"], stretch, drift)
    elif old["of_reference"] is None or new["of_reference"] is None:
        beside = own
    else:
        beside = _change(old["of_reference"], new["of_reference"], stretch)
    return own if own == beside else 0


def _stretch(row: Row) -> float:
    """How much longer the row's times may be because of other processes, as a logarithm."""
    threads = row["threads_asked"]
    taken = max(row.get("others", [0.0])) - max(row["cores"] - threads, 0)  # older rows do not say
    left = 1 - max(taken, 0) / threads
    return -math.log(left) if left > 0 else math.inf


def _change(old: Row, new: Row, stretch: float, drift: float = 0.0) -> int:
    """Which way a spread moved, beyond noise and that stretch, less what the others did (logarithms)."""
    scale = math.exp(drift)
    lower, median, upper = (new[key] / scale for key in ("lower", "median", "upper"))
    change = math.log(median / old["median"])
    spread = math.hypot((old["upper"] - old["lower"]) / old["median"], (upper - lower) / median)
    if abs(change) <= max(math.log1p(LEAST_TIME), SPREADS * spread + stretch):
        return 0
    if lower > old["upper"]:
        return 1
    return -1 if upper < old["lower"] else 0


def _times(old: Row, new: Row) -> float:
    return float(new["seconds"]["median"] / old["seconds"]["median"])


def _key(row: Row) -> tuple[Any, ...]:
    return (*case_key(row), row["runtime"])


def _title(row: Row) -> str:
    return f"{_case_title(row)}, {row['runtime']}"


def _case_title(row: Row) -> str:
    return f"{row['network']} {row['shape_text']}"


def _read(path: Path) -> list[Row]:
    file = path / FILE if path.is_dir() else path
    rows = read_file(file)
    if any("of_reference" not in row or "runtime" not in row for row in rows):
        raise BenchmarkError(f"{file} holds no rows of `esrgan bench`; give a {FILE}")
    return rows
