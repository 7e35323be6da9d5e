"""What the containers around this process leave it, by Linux's control groups: memory and processors.

A group's limit holds for all that runs in it and below it, so every group counts that can be seen, from the
process's own up: a step of Slurm in its job, a service in its slice, a container in a container. Versions 1
and 2, also side by side. Nothing is imported here that takes time: a command asks before it loads PyTorch.
"""

import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

PROCESS = Path("/proc/self")

# of memory.stat: what the kernel takes back by itself before it ends anybody
_CACHE = {1: ("total_inactive_file", "total_active_file"), 2: ("inactive_file", "active_file")}
_NO_LIMIT = 1 << 60  # bytes; version 1 has no word for it, and tells the largest number that it can hold
_MEMORY = {
    1: (("memory.limit_in_bytes",), "memory.usage_in_bytes"),
    2: (("memory.max", "memory.high"), "memory.current"),  # above "high" the group is slowed to a crawl
}


def memory_left(process: Path = PROCESS) -> int | None:
    """Bytes that this process can still take before a group meets its limit; None where none has one.

    Pages that only keep files for later are not taken: reading and writing pictures fills them up to any
    limit.

    Args:
        process: its folder below /proc.
    """
    left = [room for group in _groups("memory", process) if (room := _room(group)) is not None]
    return min(left, default=None)


def quota(process: Path = PROCESS) -> float | None:
    """Processors that the groups let this process use at a time, such as 1.5; None where none has a quota."""
    shares = [share for group in _groups("cpu", process) if (share := _share(group)) is not None]
    return min(shares, default=None)


@cache
def most_threads() -> int | None:
    """How many threads a quota is worth, at least 1; None where there is no quota. Asked once a process.

    More would take turns, and all of them stand still for the rest of each period once the quota is used up.
    """
    share = quota()
    return None if share is None else max(math.ceil(share), 1)


@dataclass(frozen=True)
class _Group:
    version: int
    folder: Path

    def text(self, name: str) -> str | None:
        try:
            return (self.folder / name).read_text(encoding="ascii").strip()
        except (OSError, ValueError):  # the root has no limits, and a controller may be off
            return None

    def number(self, name: str) -> int | None:
        """None for "max" too."""
        text = self.text(name)
        return int(text) if text is not None and re.fullmatch(r"-?[0-9]+", text) else None

    def facts(self, name: str) -> Mapping[str, int]:
        pairs = (line.split() for line in (self.text(name) or "").splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}


def _room(group: _Group) -> int | None:
    names, usage = _MEMORY[group.version]
    limits = [limit for name in names if (limit := group.number(name)) is not None]
    used = group.number(usage)
    if used is None:
        return None
    facts = group.facts("memory.stat")
    # version 1 tells the least limit of the groups above, those that a container does not see among them
    limits += [limit for limit in [facts.get("hierarchical_memory_limit")] if limit is not None]
    kept = sum(facts.get(name, 0) for name in _CACHE[group.version])
    limits = [limit for limit in limits if limit < _NO_LIMIT]
    return max(min(limits) - max(used - kept, 0), 0) if limits else None


def _share(group: _Group) -> float | None:
    if group.version == 2:
        allowed, _, period = (group.text("cpu.max") or "max").partition(" ")
        if not (allowed.isdecimal() and period.isdecimal()):
            return None
        return int(allowed) / max(int(period), 1)
    allowance, length = group.number("cpu.cfs_quota_us"), group.number("cpu.cfs_period_us")
    return allowance / length if allowance is not None and length and allowance > 0 else None


def _groups(controller: str, process: Path) -> Iterator[_Group]:
    """The process's group in each hierarchy that may have the controller, and those above it."""
    try:
        lines = (process / "cgroup").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        mounts = (process / "mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:  # another system than Linux
        return
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        version = 2 if number == "0" and not controllers else 1
        if version == 2 or controller in controllers.split(","):
            for root, place in _mounted(mounts, version, controller):
                yield from _upwards(version, path, root, place)


def _mounted(mounts: list[str], version: int, controller: str) -> Iterator[tuple[str, Path]]:
    """Which group is mounted where, of this version, and of version 1 with this controller."""
    for line in mounts:
        place, _, kind = line.partition(" - ")
        fields, (name, *more) = place.split(), kind.split() or [""]
        if len(fields) < 5 or name != ("cgroup2" if version == 2 else "cgroup"):
            continue
        if version == 2 or (more and controller in more[-1].split(",")):
            yield _unescaped(fields[3]), Path(_unescaped(fields[4]))


def _upwards(version: int, path: str, root: str, place: Path) -> Iterator[_Group]:
    """The group `path` and its parents, as far as the mount at `place` shows them: it begins at `root`."""
    inside = PurePosixPath(path)
    if ".." in inside.parts or not inside.is_relative_to(root):
        inside = PurePosixPath(root)  # of another namespace: what is mounted is the nearest that can be seen
    below = inside.relative_to(root)
    for part in (below, *below.parents):
        folder = place / part
        if os.path.isdir(folder):  # noqa: PTH112  # never raises
            yield _Group(version, folder)
        if part == PurePosixPath():
            return


def _unescaped(text: str) -> str:
    r"""Blanks in a path are written as \040, and so on."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
