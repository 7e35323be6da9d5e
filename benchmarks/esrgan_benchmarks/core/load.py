"""Who else uses the processor: what other processes, a hypervisor and a quota take from a measurement.

By psutil, so on every system: the time that our processors were not idle, less what this process and those
that it started have used. The clocks behind it tick in hundredths of a second: less than `LEAST` says little.
"""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

T = TypeVar("T")
CGROUP = Path("/sys/fs/cgroup")
LEAST = 0.5  # seconds; the sum of ten such clocks is then right to some hundredths of a core
SHARE = 0.05  # of a core for each thread, that others may use
MOST = (
    0.1  # cores: threads wait for one another, so that one busy core is felt by all, however many there are
)
HELD_BACK = 0.02  # of the time, that a quota may hold us back


@dataclass(frozen=True)
class Load:
    """What was taken from us in a stretch of time.

    Args:
        others: cores that other processes used, on average, of those that we may run on.
        stolen: cores that a hypervisor gave to other machines meanwhile.
        held_back: share of the time in which a container's quota let us wait.
    """

    others: float
    stolen: float = 0.0
    held_back: float = 0.0

    @property
    def taken(self) -> float:
        """Cores that others had, on this machine or another."""
        return round(self.others + self.stolen, 3)

    def __str__(self) -> str:
        parts = [f"other processes used {self.others:.2f} cores"]
        if self.stolen >= 0.005:
            parts.append(f"the hypervisor took {self.stolen:.2f} cores")
        if self.held_back >= 0.005:
            parts.append(f"a quota held us back for {self.held_back:.0%} of the time")
        return ", ".join(parts)


@dataclass(frozen=True)
class Reading:
    """Seconds on clocks that only go on, or between two readings of them.

    Args:
        at: of the wall clock.
        idle: that our processors were, together.
        stolen: see `Load`, summed up.
        own: processor time of this process and what it has started.
        held_back: by a quota.
    """

    at: float = 0.0
    idle: float = 0.0
    stolen: float = 0.0
    own: float = 0.0
    held_back: float = 0.0

    def after(self, earlier: "Reading") -> "Reading":
        """What passed since the earlier one."""
        return Reading(*(mine - theirs for mine, theirs in zip(_values(self), _values(earlier), strict=True)))

    def plus(self, other: "Reading") -> "Reading":
        """Two stretches of time together."""
        return Reading(*(mine + theirs for mine, theirs in zip(_values(self), _values(other), strict=True)))


class Watch:
    """Tells what others took while something was measured.

    Args:
        threads: of the runtimes; others may have the cores that these leave over.
        least: seconds that must be watched to be judged.
    """

    def __init__(self, threads: int, least: float = LEAST) -> None:
        self.least = least
        self.limit = max(available_cores() - threads, 0) + min(SHARE * threads, MOST)
        self._watched = Reading()

    @property
    def seconds(self) -> float:
        """That were watched since `load` was last asked."""
        return self._watched.at

    def measure(self, function: Callable[[], T]) -> T:
        """What the function returns, watched."""
        before = read()
        try:
            return function()
        finally:
            self._watched = self._watched.plus(read().after(before))

    def load(self) -> Load:
        """What others took in all that was measured since the last call."""
        watched, self._watched = self._watched, Reading()
        seconds = max(watched.at, 1e-6)
        busy = len(_processors()) - watched.idle / seconds
        stolen = watched.stolen / seconds
        found = busy - stolen - watched.own / seconds, stolen, watched.held_back / seconds
        return Load(*(round(max(value, 0.0), 3) for value in found))

    def disturbs(self, load: Load) -> bool:
        """Whether so much is more than a measurement bears."""
        return load.taken > self.limit or load.held_back > HELD_BACK


def available_cores() -> int:
    """Cores that this process may run on: a container's quota counts, begun cores as whole ones."""
    return max(math.ceil(min(len(_processors()), quota(CGROUP))), 1)


def tree() -> list[psutil.Process]:
    """This process and all that it has started, and they."""
    own = psutil.Process()
    return [own, *own.children(recursive=True)]


def seconds_of(processes: list[psutil.Process]) -> float:
    """Processor time that they used, with that of their children which have ended."""
    total = 0.0
    for process in processes:
        with suppress(psutil.Error):  # it has ended; its parent tells its time
            times = process.cpu_times()
            total += times.user + times.system
            total += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return total


def read() -> Reading:
    """The clocks now."""
    every = psutil.cpu_times(percpu=True)
    ours = [every[number] for number in _processors()]
    idle = sum(times.idle + getattr(times, "iowait", 0.0) for times in ours)
    stolen = sum(getattr(times, "steal", 0.0) for times in ours)
    # the clock first: what the rest takes is then ours on both sides
    return Reading(time.perf_counter(), idle, stolen, seconds_of(tree()), held_back(CGROUP))


def _values(reading: Reading) -> tuple[float, ...]:
    return reading.at, reading.idle, reading.stolen, reading.own, reading.held_back


def _processors() -> list[int]:
    """Those that we may run on, by their place in what psutil tells."""
    every = range(len(psutil.cpu_times(percpu=True)))
    own = psutil.Process()
    if not hasattr(own, "cpu_affinity"):  # macOS
        return list(every)
    allowed = [number for number in own.cpu_affinity() or [] if number in every]
    return allowed or list(every)


def quota(root: Path) -> float:
    """Cores that a container may use (cgroup version 2, then 1); infinite where nothing limits them."""
    with suppress(OSError, ValueError):
        allowed, period = (root / "cpu.max").read_text().split()
        return int(allowed) / int(period) if allowed != "max" else math.inf
    with suppress(OSError, ValueError):
        allowed = int((root / "cpu/cpu.cfs_quota_us").read_text())
        return allowed / int((root / "cpu/cpu.cfs_period_us").read_text()) if allowed > 0 else math.inf
    return math.inf


def held_back(root: Path) -> float:
    """Seconds that a quota let the container wait so far."""
    for name, key, unit in (
        ("cpu.stat", "throttled_usec", 1e-6),
        ("cpu/cpu.stat", "throttled_time", 1e-9),
    ):
        with suppress(OSError):
            return int(_pairs((root / name).read_text()).get(key, "0")) * unit
    return 0.0


def _pairs(text: str) -> Mapping[str, str]:
    return dict(line.split(maxsplit=1) for line in text.splitlines() if " " in line)
