"""What changed between two recordings, beyond noise."""

from pathlib import Path
from typing import Any

from esrgan_benchmarks.errors import BenchmarkError
from esrgan_benchmarks.record import Row, read_file
from esrgan_benchmarks.runtime_tables import current, seconds_text

FILE = "runtimes.jsonl"
LEAST_TIME = 0.05  # a smaller change of a median is not told, whatever the quartiles
LEAST_MEMORY = 0.10


def compare_files(old: Path, new: Path) -> str:
    """Compare two files of rows, or two folders with `runtimes.jsonl` in them; the text for people.

    Raises:
        BenchmarkError: a file is missing or holds something else, or the two have no case in common.
    """
    return compare(_read(old), _read(new))


def compare(old: list[Row], new: list[Row]) -> str:
    """Each runtime and case that both have: time, memory, distance.

    A time changed when the medians of its ratio to the reference differ by more than 5 % and the ranges
    between the quartiles do not overlap: a machine that is slower as a whole does not show there. The
    reference itself, which has no ratio, is compared by its seconds. Rows of other machines have no partner.
    """
    before = {_key(row): row for row in current(old)}
    after = {_key(row): row for row in current(new)}
    common = [key for key in after if key in before]
    if not common:
        raise BenchmarkError("the two recordings have no case, runtime and machine in common")
    changes = [text for key in common for text in _changes(before[key], after[key])]
    lines = [*changes, f"{len(common)} rows compared, {len(changes)} changes beyond noise"]
    for title, these, those in (("only in the new", after, before), ("only in the old", before, after)):
        missing = [_title(row) for key, row in these.items() if key not in those]
        if missing:
            lines.append(f"{title}: {'; '.join(missing)}")
    return "\n".join(lines)


def _changes(old: Row, new: Row) -> list[str]:
    found: list[str] = []
    reference = old["of_reference"]["upper"] == old["of_reference"]["lower"] == 1
    kind, what = ("seconds", "time") if reference else ("of_reference", "time beside the reference's")
    first, second = old[kind], new[kind]
    change = second["median"] / first["median"]
    apart = second["lower"] > first["upper"] or second["upper"] < first["lower"]
    if apart and abs(change - 1) > LEAST_TIME:
        found.append(
            f"{_title(new)}: {'slower' if change > 1 else 'faster'}: {what} {first['median']:.3g} -> "
            f"{second['median']:.3g} ({change - 1:+.0%}); {seconds_text(old['seconds']['median'])} -> "
            f"{seconds_text(new['seconds']['median'])}"
        )
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


def _key(row: Row) -> tuple[Any, ...]:
    names = ("network", "shape_text", "runtime", "device", "processor", "cores", "threads_asked")
    return tuple(row[name] for name in names)


def _title(row: Row) -> str:
    return f"{row['network']} {row['shape_text']}, {row['runtime']}"


def _read(path: Path) -> list[Row]:
    file = path / FILE if path.is_dir() else path
    rows = read_file(file)
    if any("of_reference" not in row or "runtime" not in row for row in rows):
        raise BenchmarkError(f"{file} holds no rows of `esrgan bench`; give a {FILE}")
    return rows
