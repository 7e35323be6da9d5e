"""Temporary names that say whose they are, so that what a killed process left behind is known and removed.

A name has 32 hexadecimal digits and `.part`: which machine, which process, when that one started, and chance.
What belongs to a process that has ended is a leftover at once. Of another machine's, or a container's with a
count of processes of its own, only the age tells; nothing writes to a file for that long without touching it.
Files of other users are left alone.
"""

import hashlib
import os
import platform
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

AGE = 24 * 3600.0  # seconds after which what cannot be asked for its owner counts as left behind
END = ".part"
PREFIX = "esrgan-"  # of folders in the system's place for temporary files

_SLACK = 10  # seconds; the time that a process started is told a little differently when a clock is set
# earlier releases had 16 digits of chance alone; a conversion that was being replaced was NAME.part.old, and
# may be the only copy of its files
_MARK = re.compile(r"(?:^\.?|[.-])(?P<mark>[0-9a-f]{16}|[0-9a-f]{32})\.part(?!\.old$)(?:\.[^.]{1,15})?$")


def mark() -> str:
    """The 32 digits for a name of this process's own."""
    process = os.getpid()
    return f"{_machine()}{process & 0xFFFFFFFF:08x}{_started_here(process):08x}{secrets.token_hex(4)}"


def is_left(path: Path) -> bool:
    """Whether `path` has a temporary name of ours, and whoever made it is gone. Never raises."""
    found = _MARK.search(path.name)
    if found is None:
        return False
    try:
        facts = path.lstat()
    except OSError:
        return False
    if hasattr(os, "getuid") and facts.st_uid != os.getuid():
        return False
    digits = found["mark"]
    if len(digits) == 32 and digits[:8] == _machine():
        return not _runs(int(digits[8:16], 16), int(digits[16:24], 16))
    return time.time() - facts.st_mtime > AGE


def leftovers(folder: Path, prefix: str = ".") -> Iterator[Path]:
    """What was left in a folder, files and folders whose names begin so."""
    with suppress(OSError), os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(prefix) and END in entry.name]
        yield from (folder / name for name in sorted(names) if is_left(folder / name))


def remove(path: Path) -> None:
    """Delete a file or a folder, as far as that goes; a link is only the link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def sweep(folder: Path, prefix: str = ".") -> None:
    """Remove what was left in a folder, the first time that this process works there.

    Args:
        folder: where.
        prefix: of the names; ".": those that are nothing but a mark. A download's name follows its dot, and
            it is taken up again by `esrgan_weights.sources.download`.
    """
    if not _first_time(folder, prefix):
        return
    for path in leftovers(folder, prefix):
        if prefix != "." or _MARK.match(path.name):
            remove(path)


@contextmanager
def temporary_folder(kind: str, parent: Path | None = None) -> Generator[Path]:
    """An empty folder for this block alone; one that a killed process left is removed first.

    Args:
        kind: what it is for, a word in its name.
        parent: where; None: in the system's place for temporary files.

    Raises:
        OSError: it cannot be made.
    """
    place = Path(tempfile.gettempdir()) if parent is None else parent
    prefix = f"{PREFIX if parent is None else '.'}{kind}-"
    sweep(place, prefix)
    folder = place / f"{prefix}{mark()}{END}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_swept: set[tuple[int, str, str]] = set()


def _first_time(folder: Path, prefix: str) -> bool:
    key = (os.getpid(), os.path.abspath(folder), prefix)  # noqa: PTH100  # Path.resolve raises
    new = key not in _swept
    _swept.add(key)
    return new


@cache
def _machine() -> str:
    """Of this start of this machine, and of its processes' numbers: a container counts its own."""
    facts = [platform.node()]
    for read in (
        lambda: Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"),
        lambda: os.readlink("/proc/self/ns/pid"),  # noqa: PTH115
    ):
        with suppress(OSError):
            facts.append(read())
    return hashlib.sha256("\n".join(facts).encode(errors="replace")).hexdigest()[:8]


@cache
def _started_here(process: int) -> int:
    import psutil

    return int(psutil.Process(process).create_time()) & 0xFFFFFFFF


def _runs(process: int, started: int) -> bool:
    """Whether this process is the one that started then, and has not ended."""
    import psutil

    try:
        found = psutil.Process(process)
        same = abs((int(found.create_time()) & 0xFFFFFFFF) - started) <= _SLACK
        return same and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # another user's
        return True
