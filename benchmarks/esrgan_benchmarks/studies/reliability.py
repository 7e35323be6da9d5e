"""The table of faults: what was tried on purpose, how often, and what was lost.

`make torture` records its rows.
"""

from itertools import groupby

from esrgan_benchmarks.core.record import Row, latest, measured_on

FUZZED = "fuzzed files, led by coverage"
# Rows of the fuzzer without minutes of the processor: it followed no reader then, since readers were imported
# too late, and it ended with files of a few bytes.
BLIND = "bytes by chance, led by nothing"
_SUMS = ("tries", "lost", "processor_minutes")


def table(rows: list[Row]) -> str:
    """Rows of `tests/torture`, one line for each fault.

    Of each command the last run counts. What the fuzzer did with a reader adds up from the last turn on that
    found something, without that turn where there were later ones: it is mended by then.
    """
    rows = _added_up([_called_right(row) for row in rows])
    lines = ["| fault | tried with | tries | lost | on |", "|---|---|---|---|---|"]
    for fault, group in groupby(sorted(rows, key=_names), key=lambda row: row["fault"]):
        alike = list(group)
        tries, lost = (sum(row[name] for row in alike) for name in ("tries", "lost"))
        with_what = "; ".join(f"{row['command'].removeprefix('esrgan ')}{_more(row)}" for row in alike)
        day = max(row["date"] for row in alike)
        lines.append(f"| {fault} | {with_what} | {tries:,} | {lost} | {day} |")
    return "\n".join([*lines, "", measured_on(rows)])


def fuzzed_minutes(rows: list[Row], reader: str) -> float:
    """Minutes of the processor for which a reader was fuzzed, led by coverage."""
    mine = (row for row in rows if (row["fault"], row["command"]) == (FUZZED, reader))
    return sum(row.get("processor_minutes", 0.0) for row in mine)


def _names(row: Row) -> tuple[str, str]:
    return row["fault"], row["command"]


def _called_right(row: Row) -> Row:
    return {**row, "fault": BLIND} if row["fault"] == FUZZED and "processor_minutes" not in row else row


def _added_up(rows: list[Row]) -> list[Row]:
    found: list[Row] = []
    for row in latest(rows, "fault", "command"):
        if row["fault"] in (FUZZED, BLIND):
            turns = _since_mended([other for other in rows if _names(other) == _names(row)])
            row = {**row, **{name: sum(turn.get(name, 0) for turn in turns) for name in _SUMS}}
        found.append(row)
    return found


def _since_mended(turns: list[Row]) -> list[Row]:
    last = max((number for number, turn in enumerate(turns[:-1]) if turn["lost"]), default=-1)
    return turns[last + 1 :]


def _more(row: Row) -> str:
    """What is special about a command's tries, in brackets."""
    words: list[str] = []
    if row["fault"] == FUZZED:
        words.append(f"{row['processor_minutes']:.1f} min")
    if row.get("of", 0) > row["tries"]:
        words.append(f"{row['tries']:,} of {row['of']:,}")
    if row["lost"]:
        words.append(f"{row['lost']} lost")
    return f" ({', '.join(words)})" if words else ""
