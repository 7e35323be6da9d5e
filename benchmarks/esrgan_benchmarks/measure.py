"""Times and memory: interleaved runs, peaks in processes of their own."""

import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of several runs, in seconds."""

    median: float
    lower: float
    upper: float
    runs: int

    @classmethod
    def of(cls, seconds: list[float]) -> "Spread":
        """The spread of at least two measurements."""
        lower, median, upper = statistics.quantiles(seconds, n=4, method="inclusive")
        return cls(round(median, 4), round(lower, 4), round(upper, 4), len(seconds))

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def interleave(cases: Mapping[str, Callable[[], Any]], runs: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Seconds of every run of every case, taken in turn (A B C A B C ...), after `warm_up` runs of each.

    A machine that slows down or speeds up meanwhile does so for all of them.
    """
    for case in cases.values():
        for _ in range(warm_up):
            case()
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(runs):
        for name, case in cases.items():
            started = time.perf_counter()
            case()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def ratio(seconds: Mapping[str, list[float]], case: str, reference: str) -> float:
    """Median, over the rounds, of the time of `case` divided by that of `reference` in the same round."""
    pairs = zip(seconds[case], seconds[reference], strict=True)
    return round(statistics.median(ours / theirs for ours, theirs in pairs), 4)


def peak_memory() -> int:
    """Largest resident memory of this process so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux; its getrusage() counts what the parent held as well
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def in_child(function: Callable[..., Any], *given: Any) -> Any:
    """What the function returns in a fresh process; it must be importable, and its result picklable."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, given)
