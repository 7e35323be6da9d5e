"""Paths that go wrong, each in its own way."""

import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture import quota

_MEMORY_DEVICES = 1  # the major number on Linux
SMALL = "size=64k,nr_inodes=64"  # of a disk that is full as soon as anything is written


@dataclass(frozen=True)
class Place:
    """A path that a command is given.

    Args:
        path: it.
        humble: whether rights are to count for root too.
        told: what of the path every message about it must have.
        environment: variables that it needs.
    """

    path: str
    told: str
    humble: bool = False
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


Make = Callable[[Path, str, Path | None], Place]


def _missing(folder: Path, ending: str, good: Path | None) -> Place:
    return Place(str(folder / f"none{ending}"), "none")


def _no_parent(folder: Path, ending: str, good: Path | None) -> Place:
    return Place(str(folder / "no" / "such" / f"a{ending}"), "such")


def _kind(folder: Path, ending: str, good: Path | None) -> Place:
    """A folder where a file is meant, a file where a folder is."""
    path = folder / f"kind{ending}"
    if ending:
        (path / "inside").mkdir(parents=True)
    else:
        path.write_text("a file")
    return Place(str(path), "kind")


def _below_a_file(folder: Path, ending: str, good: Path | None) -> Place:
    (folder / "plain").write_text("a file")
    return Place(str(folder / "plain" / f"a{ending}"), "plain")


def _loop(folder: Path, ending: str, good: Path | None) -> Place:
    path = folder / f"loop{ending}"
    path.symlink_to(path)
    return Place(str(path), "loop")


def _below_a_loop(folder: Path, ending: str, good: Path | None) -> Place:
    (folder / "loop").symlink_to(folder / "loop")
    return Place(str(folder / "loop" / f"a{ending}"), "loop")


def _nobody_s_home(folder: Path, ending: str, good: Path | None) -> Place:
    return Place(f"~nosuch/a{ending}", "nosuch")


def _no_text(folder: Path, ending: str, good: Path | None) -> Place:
    path = folder / os.fsdecode(b"odd\xff\xe9" + ending.encode())
    _copied(good, path)
    return Place(str(path), "odd")


def _long_name(folder: Path, ending: str, good: Path | None) -> Place:
    return Place(str(folder / ("n" * 300 + ending)), "nnnn")


def _long_path(folder: Path, ending: str, good: Path | None) -> Place:
    return Place(str(folder) + "/deep" * 1500 + ending, "deep")


def _pipe(folder: Path, ending: str, good: Path | None) -> Place:
    path = folder / f"pipe{ending}"
    os.mkfifo(path)
    return Place(str(path), "pipe")


def _socket(folder: Path, ending: str, good: Path | None) -> Place:
    path = folder / f"socket{ending}"
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
    return Place(str(path), "socket")


def _device(minor: int, name: str) -> Make:
    """One of the system's own, which lasts when this one is lost; without the right to make it, a link."""

    def make(folder: Path, ending: str, good: Path | None) -> Place:
        path = folder / f"device{ending}"
        try:
            os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(_MEMORY_DEVICES, minor))
        except PermissionError:
            path.symlink_to(f"/dev/{name}")
        return Place(str(path), "device")

    return make


def _not_mine(folder: Path, ending: str, good: Path | None) -> Place:
    """Not to be read, not to be written."""
    path = folder / f"mine{ending}"
    _copied(good, path)
    if path.exists():
        path.chmod(0)
    folder.chmod(0o555)
    return Place(str(path), "faulty", humble=True)


def _locked(folder: Path, ending: str, good: Path | None) -> Place:
    inner = folder / "locked"
    inner.mkdir()
    _copied(good, inner / f"a{ending}")
    inner.chmod(0)
    return Place(str(inner / f"a{ending}"), "locked", humble=True)


def _quota(kind: str) -> Make:
    def make(folder: Path, ending: str, good: Path | None) -> Place:
        path = folder / f"a{ending}" if ending or good else folder
        _copied(good, path)
        return Place(str(path), "faulty", environment=quota.used_up(kind, folder))

    return make


NO_FILES: dict[str, Make] = {
    "a pipe": _pipe,
    "a socket": _socket,
    "/dev/null": _device(3, "null"),
    "/dev/zero": _device(5, "zero"),
    "/dev/full": _device(7, "full"),
}
PLACES: dict[str, Make] = {
    "missing": _missing,
    "no such folder": _no_parent,
    "a folder for a file, a file for a folder": _kind,
    "below a file": _below_a_file,
    "a link in a circle": _loop,
    "below a link in a circle": _below_a_loop,
    "~nosuch": _nobody_s_home,
    "a name that is no text": _no_text,
    "a name of 300 bytes": _long_name,
    "a path of 7,500 bytes": _long_path,
    "no permission": _not_mine,
    "in a locked folder": _locked,
}
QUOTAS: dict[str, Make] = {f"the quota of {kind} used up": _quota(kind) for kind in quota.KINDS}
DISKS = ("full disk", "no inodes", "read-only disk")


@contextmanager
def disk(kind: str, place: Path) -> Generator[Place]:
    """A disk of its own at `place`, mounted by root, that cannot take a file."""
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", SMALL, "tmpfs", place], check=True)
    try:
        if kind == "read-only disk":
            subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        elif kind == "full disk":
            with suppress(OSError), (place / "filler").open("wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
        else:
            with suppress(OSError):
                for number in range(1000):
                    (place / f"{number}").touch()
        yield Place(str(place), place.name)
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def can_mount(place: Path) -> bool:
    """Whether this user may mount a disk here."""
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", SMALL, "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        return False
    subprocess.run(["umount", place], check=True)
    return True


def _copied(good: Path | None, path: Path) -> None:
    if good is None:
        return
    if good.is_dir():
        shutil.copytree(good, path)
    else:
        shutil.copy(good, path)
