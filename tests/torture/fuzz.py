"""Readers of files, fuzzed in turn, each in a process of its own (`tests.torture.fuzzed`)."""

import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

from esrgan_benchmarks.core import record
from esrgan_benchmarks.studies import reliability
from tests.torture.readers import NAMES
from tests.torture.tried import Tried

TURN = 60  # seconds of the processor for one reader at a time
SHARED_MEMORY = Path("/dev/shm")  # where a file is written in no time, as a try writes one or two
INTERRUPTED = 72  # libFuzzer's status when somebody presses Ctrl-C
KEPT = "esrgan-torture-found"  # beside other temporary files: what was found outlives the run


@dataclass(frozen=True)
class Turn:
    """A reader's turn.

    Args:
        count: files that it was given.
        minutes: of the processor, from the first file.
        found: what was found; empty where nothing was.
    """

    count: int
    minutes: float
    found: str


def tries(scratch: Path, seed: int, end: float) -> Iterator[Tried]:
    """Turns, until the end by the clock; readers first that had the fewest minutes by all rows."""
    rows = record.read("reliability")
    spent = {name: (reliability.fuzzed_minutes(rows, name), number) for number, name in enumerate(NAMES)}
    scratch = _quick(scratch)
    chance = seed + len(rows)  # others each time
    try:
        while (left := int(end - time.monotonic())) > 0:
            name = min(spent, key=lambda reader: spent[reader])
            chance += 1
            turn = fuzzed(name, scratch / name, TURN, left, chance)
            spent[name] = (spent[name][0] + max(turn.minutes, 0.1), spent[name][1])
            yield Tried(reliability.FUZZED, name, turn.found, turn.count, turn.minutes, ended=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def fuzzed(name: str, folder: Path, seconds: float, until: int, seed: int = 0) -> Turn:
    """One reader's turn.

    Args:
        folder: for it; what led somewhere new stays in it for the next turn.
        seconds: of the processor.
        until: the turn ends after so many seconds by the clock in any case.
    """
    temporary = folder / "temporary"
    temporary.mkdir(parents=True, exist_ok=True)
    before = _processor_seconds()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.torture.fuzzed", name, str(folder)),
            *("--seconds", str(seconds), "--until", str(until), "--seed", str(seed)),
        ],
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    used = _processor_seconds() - before
    shutil.rmtree(temporary, ignore_errors=True)
    start = re.search(r"processor seconds before: ([\d.]+)", done.stdout)
    if start is None:
        raise RuntimeError(f"the reader {name} did not start: {done.stderr[-400:]}")
    minutes = (used - float(start[1])) / 60
    counts = re.findall(r"number_of_executed_units: (\d+)|^#(\d+)", done.stderr, re.MULTILINE)
    count = max((int(one or other) for one, other in counts), default=0)
    if done.returncode in (0, INTERRUPTED):
        return Turn(count, minutes, "")
    said = [line for line in done.stderr.splitlines() if "Error" in line or "ERROR" in line]
    kept = _kept(folder, f"{name}-{seed}")
    return Turn(max(count, 1), minutes, f"status {done.returncode}: {' | '.join(said[:3])[:400]}; {kept}")


def _processor_seconds() -> float:
    """Of all processes that this one has started and that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _quick(scratch: Path) -> Path:
    """A folder in memory where there is one."""
    if os.access(SHARED_MEMORY, os.W_OK):
        return SHARED_MEMORY / f"{scratch.name}-fuzz"  # no folder above it is left behind
    return scratch / "fuzz"


def _kept(folder: Path, name: str) -> str:
    """Move what was found to where it stays."""
    place = Path(gettempdir()) / KEPT / name
    found = sorted(folder.glob("found-*"))
    for path in found:
        place.mkdir(parents=True, exist_ok=True)
        shutil.move(path, place / path.name)
    return f"the file is in {place}" if found else "there is no file of it"
