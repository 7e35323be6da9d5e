"""The table of faults: what was tried on purpose, how often, and what was lost.

`make torture` records its rows.
"""

from esrgan_benchmarks.core.record import Row, latest, measured_on


def table(rows: list[Row]) -> str:
    """Rows of `tests/torture`: of each fault and command the last run."""
    rows = latest(rows, "fault", "command")
    lines = ["| fault | command or reader | tries | lost | on |", "|---|---|---|---|---|"]
    lines += [
        f"| {row['fault']} | {row['command']} | {row['tries']:,} | {row['lost'] or '0'} | {row['date']} |"
        for row in sorted(rows, key=lambda row: (row["fault"], row["command"]))
    ]
    return "\n".join([*lines, "", measured_on(rows)])
