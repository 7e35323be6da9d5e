"""The folder of decoded pictures: where it is, what it holds, how it is kept within bounds.

Every file can be made anew from the pictures, so anything here may be deleted at any time, also while a run
reads it.
"""

import os
import shutil
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from esrgan_torch.errors import ConfigError
from esrgan_torch.storage.cache import cache_folder
from esrgan_torch.storage.paths import expanded

FOLDER = "pictures"
SUFFIX = ".npy"
LESSON = "lesson-"
"""How the names of a teacher's answers begin; they are not given up by themselves: they cost hours."""

_RESERVE = 1 << 30  # bytes of the disk that are left free


@dataclass(frozen=True)
class Kept:
    """A file of the cache: its size, and seconds since a run last asked for it."""

    path: Path
    bytes: int
    age: float


def pictures_folder(given: str | Path = "") -> Path:
    """The folder of decoded pictures: the argument, else `pictures` in $ESRGAN_CACHE or the user's cache
    folder.

    It may not exist yet. It is the same whatever the working folder is.
    """
    return expanded(given) if given else cache_folder() / FOLDER


def kept_pictures(folder: Path | None = None) -> list[Kept]:
    """What the folder holds, the longest unused first. Never raises.

    Args:
        folder: None: that of `pictures_folder()`.
    """
    folder = pictures_folder() if folder is None else folder
    now = time.time()
    found: list[Kept] = []
    try:
        paths = list(folder.iterdir())
    except OSError:  # mostly there is none yet; where it cannot be listed, a run says so that writes to it
        return []
    for path in paths:
        if path.suffix != SUFFIX or path.name.startswith("."):  # a part, see `esrgan_torch.storage.leftovers`
            continue
        try:
            facts = path.stat()
        except OSError:  # another run removed it
            continue
        found.append(Kept(path, facts.st_size, max(0.0, now - facts.st_mtime)))
    return sorted(found, key=lambda kept: (-kept.age, kept.path))


def make_room(folder: Path, needed: int, limit: float, own: Collection[Path]) -> None:
    """See to it that so many bytes more fit the cache and the disk, giving up the oldest pictures of other
    runs.

    Args:
        folder: the cache; it exists.
        needed: bytes that are to be written.
        limit: bytes that the cache may have.
        own: files that this run needs.

    Raises:
        ConfigError: they do not fit.
    """
    kept = kept_pictures(folder)
    mine = {path.name for path in own}
    held = sum(each.bytes for each in kept if each.path.name in mine)
    lessons = [each for each in kept if each.path.name.startswith(LESSON)]
    asked = needed + held
    if asked > limit:
        raise ConfigError(
            f"the decoded pictures take {in_words(asked)}, and data.cache_limit is {in_words(limit)}; raise "
            "it, or train on fewer pictures"
        )
    others = [each for each in kept if each.path.name not in mine and each not in lessons]
    surplus = asked + sum(each.bytes for each in (*others, *lessons)) - limit
    for each in others:
        if surplus <= 0:
            break
        try:
            each.path.unlink()
        except OSError:  # gone already, or open on Windows
            continue
        surplus -= each.bytes
    free = shutil.disk_usage(folder).free
    if needed and needed + _RESERVE > free:
        raise ConfigError(
            f"the decoded pictures take {in_words(needed)} more in {folder}, and its disk has "
            f"{in_words(free)}, of which {in_words(_RESERVE)} must stay free; free some space, or "
            f"name another "
            "folder with data.cache"
        )


def touch(paths: Collection[Path]) -> None:
    """Note that a run asked for these files, so that others go first."""
    for path in paths:
        try:
            os.utime(path)
        except OSError:  # another user's cache, or a file that was removed: it is only a note
            continue


def in_words(size: float) -> str:
    """A number of bytes for people: "84 MB"."""
    for unit, bytes_each in (("GB", 1e9), ("MB", 1e6)):
        if size >= bytes_each:
            return f"{size / bytes_each:.3g} {unit}"
    return f"{size / 1e3:.0f} kB"
