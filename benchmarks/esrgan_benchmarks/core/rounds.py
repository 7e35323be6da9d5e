"""Rounds in which runtimes take turns, watched: a round that others disturbed is repeated."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from esrgan_benchmarks.core.load import Load, Watch, seconds_of, tree

PATIENCE = 10.0  # seconds that the rounds of a case wait in all until others are done
TICK = 0.01  # the finest step of the clocks of processor time
REST = 0.03  # seconds over which runtimes must be idle before one is measured
LONGEST_REST = 1.0  # pools of threads spin for up to 0.2 s after their work


@dataclass(frozen=True)
class Round:
    """Each runtime once; where that is too short to be judged, several times.

    Args:
        seconds: by runtime, of several runs the median.
        load: what others took meanwhile.
        disturbed: whether that is more than a measurement bears.
    """

    seconds: Mapping[str, float]
    load: Load
    disturbed: bool


@dataclass(frozen=True)
class Rounds:
    """Those that count, in the order in which they were taken.

    Args:
        kept: as many as were asked for; the least disturbed ones where quiet ones were too few.
        repeated: how many more were taken, and dropped.
    """

    kept: tuple[Round, ...]
    repeated: int

    @property
    def disturbed(self) -> int:
        """How many of those that count were disturbed."""
        return sum(each.disturbed for each in self.kept)

    @property
    def load(self) -> Load:
        """Of the most disturbed round that counts."""
        return max((each.load for each in self.kept), key=lambda load: (load.taken, load.held_back))


def take_rounds(
    cases: Mapping[str, Callable[[], float]],
    runs: int,
    watch: Watch,
    *,
    patience: float = PATIENCE,
    progress: Callable[[str], Any] = lambda text: None,
) -> Rounds:
    """Take turns, A B C A B C ..., until so many rounds were quiet, but at most twice as many rounds.

    Args:
        cases: each computes once and tells the seconds that it took.
        runs: rounds that are wanted.
        watch: of what others use.
        patience: seconds to wait in all, before a round, for others to be done.
        progress: told what happens.
    """
    taken: list[Round] = []
    while len(taken) < 2 * runs and sum(not each.disturbed for each in taken) < runs:
        if not taken or taken[-1].disturbed:
            patience = _wait(watch, patience, progress)
        number = min(sum(not each.disturbed for each in taken) + 1, runs)
        progress(f"round {number} of {runs}")
        taken.append(_round(cases, watch))
    # the sort is stable: of quiet ones the first, of disturbed ones those that had least of it
    best = sorted(taken, key=lambda each: (each.disturbed, each.load.taken if each.disturbed else 0.0))[:runs]
    kept = tuple(each for each in taken if any(each is one for one in best))
    return Rounds(kept, len(taken) - len(kept))


def _round(cases: Mapping[str, Callable[[], float]], watch: Watch) -> Round:
    """Turns until they took long enough for the load to be judged; of each runtime's the median."""
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    watch.load()
    while True:
        for name, run in cases.items():
            rest()
            seconds[name].append(watch.measure(run))
        if watch.seconds >= watch.least:
            break
    load = watch.load()
    return Round(
        {name: statistics.median(values) for name, values in seconds.items()}, load, watch.disturbs(load)
    )


def _wait(watch: Watch, patience: float, progress: Callable[[str], Any]) -> float:
    """Until others are quiet; the patience that is left."""
    while patience > 0:
        watch.load()
        watch.measure(lambda: time.sleep(watch.least))
        load = watch.load()
        if not watch.disturbs(load):
            break
        progress(f"waits: {load}")
        patience -= watch.least
    return patience


def rest() -> None:
    """Wait until all that this process has started is idle: pools of threads spin for a while."""
    processes = tree()
    end = time.perf_counter() + LONGEST_REST
    before = seconds_of(processes)
    while time.perf_counter() < end:
        time.sleep(REST)
        now = seconds_of(processes)
        if now - before < 2 * TICK:
            return
        before = now
