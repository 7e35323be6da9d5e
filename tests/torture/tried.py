"""What was tried, counted, and recorded as soon as a part of it is done."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Tried:
    """One try, or several of one kind.

    Args:
        fault, command: what was done to whom.
        said: what was lost by it; empty where nothing was.
        count: tries.
        minutes: of the processor; None: by the clock, since the try before.
        of: tries that there are, where they are not all made.
        ended: whether nothing more comes of this fault and command: the row is recorded at once.
    """

    fault: str
    command: str
    said: str = ""
    count: int = 1
    minutes: float | None = None
    of: int = 0
    ended: bool = False


class Tally:
    """Counts tries, and records a row for each fault and command.

    Args:
        write: records rows.
    """

    def __init__(self, write: Callable[[Sequence[Row]], object]) -> None:
        self._write = write
        self._open: dict[tuple[str, str], Row] = {}
        self._since = time.monotonic()
        self.lost = 0

    def add(self, tried: Tried) -> None:
        """Count; what was lost is printed."""
        now = time.monotonic()
        what = (tried.fault, tried.command)
        row = self._open.setdefault(what, {"fault": what[0], "command": what[1], "tries": 0, "lost": 0})
        row["tries"] += tried.count
        row["lost"] += bool(tried.said)
        if tried.minutes is None:
            row["minutes"] = row.get("minutes", 0.0) + (now - self._since) / 60
        else:
            row["processor_minutes"] = row.get("processor_minutes", 0.0) + tried.minutes
        if tried.of:
            row["of"] = tried.of
        self._since = now
        if tried.said:
            self.lost += 1
            print(f"LOST: {tried.fault}: {tried.command}: {tried.said}", flush=True)
        if tried.ended:
            self._record([what])

    def end(self) -> None:
        """Record what is left."""
        self._record(list(self._open))

    def _record(self, which: Sequence[tuple[str, str]]) -> None:
        rows = [self._open.pop(what) for what in which]
        rows = [row for row in rows if row["tries"]]
        for row in rows:
            for name in ("minutes", "processor_minutes"):
                if name in row:
                    row[name] = round(row[name], 2)
            print(f"{row['fault']}: {row['command']}: {row['tries']} tries, {row['lost']} lost", flush=True)
        if rows:
            self._write(rows)
