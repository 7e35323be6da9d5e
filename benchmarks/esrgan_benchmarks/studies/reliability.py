"""The table of faults: what was tried on purpose, how often, and what was lost.

`make torture` records its rows.
"""

from esrgan_benchmarks.core.record import Row, latest, measured_on

FUZZED = "fuzzed files, led by coverage"
# Rows of the fuzzer without minutes of the processor: it followed no reader then, since readers were imported
# too late, and it ended with files of a few bytes.
BLIND = "bytes by chance, led by nothing"


def table(rows: list[Row]) -> str:
    """Rows of `tests/torture`: of each fault and command the last run; what the fuzzer did adds up."""
    rows = _added_up([_called_right(row) for row in rows])
    lines = ["| fault | command or reader | tries | lost | on |", "|---|---|---|---|---|"]
    lines += [
        f"| {row['fault']} | {row['command']}{_minutes(row)} | {_tries(row)} "
        f"| {row['lost'] or '0'} | {row['date']} |"
        for row in sorted(rows, key=lambda row: (row["fault"], row["command"]))
    ]
    return "\n".join([*lines, "", measured_on(rows)])


def fuzzed_minutes(rows: list[Row], reader: str) -> float:
    """Minutes of the processor for which a reader was fuzzed, led by coverage."""
    mine = (row for row in rows if (row["fault"], row["command"]) == (FUZZED, reader))
    return sum(row.get("processor_minutes", 0.0) for row in mine)


def _called_right(row: Row) -> Row:
    return {**row, "fault": BLIND} if row["fault"] == FUZZED and "processor_minutes" not in row else row


def _added_up(rows: list[Row]) -> list[Row]:
    found: list[Row] = []
    for row in latest(rows, "fault", "command"):
        what = (row["fault"], row["command"])
        if row["fault"] in (FUZZED, BLIND):
            alike = [other for other in rows if (other["fault"], other["command"]) == what]
            names = ("tries", "lost", "processor_minutes")
            row = {**row, **{name: sum(other.get(name, 0) for other in alike) for name in names}}
        found.append(row)
    return found


def _tries(row: Row) -> str:
    of = row.get("of", 0)
    return f"{row['tries']:,} of {of:,}" if of > row["tries"] else f"{row['tries']:,}"


def _minutes(row: Row) -> str:
    return f", {row['processor_minutes']:.1f} minutes" if row["fault"] == FUZZED else ""
