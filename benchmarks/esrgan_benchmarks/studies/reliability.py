"""The table of faults: what was tried on purpose, how often, and what was lost.

`make torture` records its rows.
"""

from esrgan_benchmarks.core.record import Row, latest, measured_on

FUZZED = "fuzzed files, led by coverage"


def table(rows: list[Row]) -> str:
    """Rows of `tests/torture`: of each fault and command the last run; what the fuzzer did adds up."""
    rows = _added_up(rows)
    lines = ["| fault | command or reader | tries | lost | on |", "|---|---|---|---|---|"]
    lines += [
        f"| {row['fault']} | {row['command']}{_minutes(row)} | {row['tries']:,} "
        f"| {row['lost'] or '0'} | {row['date']} |"
        for row in sorted(rows, key=lambda row: (row["fault"], row["command"]))
    ]
    return "\n".join([*lines, "", measured_on(rows)])


def _added_up(rows: list[Row]) -> list[Row]:
    found: list[Row] = []
    for row in latest(rows, "fault", "command"):
        what = (row["fault"], row["command"])
        alike = [row]
        if row["fault"] == FUZZED:
            alike = [other for other in rows if (other["fault"], other["command"]) == what]
        sums = {name: sum(other.get(name, 0) for other in alike) for name in ("tries", "minutes")}
        found.append({**row, **sums})
    return found


def _minutes(row: Row) -> str:
    return f", {row['minutes']:.1f} minutes" if row["fault"] == FUZZED and row["minutes"] else ""
