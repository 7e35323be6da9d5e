"""Which pictures a folder holds."""

import errno
import stat
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from esrgan_torch.images.kinds import READ_SUFFIXES


@dataclass(frozen=True)
class Problem:
    """A path that cannot be used, and why: the end of a sentence that begins with it."""

    path: Path
    cause: str

    def __str__(self) -> str:
        return f"{self.path} {self.cause}"


@dataclass(frozen=True)
class Found:
    """Pictures in the order of their paths, and what looks like one and cannot be used."""

    paths: tuple[Path, ...]
    problems: tuple[Problem, ...]


def find_pictures(folder: Path, *, deep: bool = True, without: Collection[Path] = ()) -> Found:
    """The pictures of a folder, by their suffixes.

    Hidden files and folders are left out. Linked folders are followed, and every folder is taken once, so a
    link that leads in a circle costs nothing and no picture counts twice. Never raises.

    Args:
        folder: where to look.
        deep: also in the folders below.
        without: folders below that are left out.
    """
    paths: list[Path] = []
    problems: list[Problem] = []
    seen = {_identity(path) for path in without}
    # links last: a folder that is reached by its own name too has that one
    waiting, linked = deque([folder]), deque[Path]()
    while waiting or linked:
        here = waiting.popleft() if waiting else linked.popleft()
        if _identity(here) in seen:
            continue
        seen.add(_identity(here))
        try:
            entries = sorted(here.iterdir())
        except OSError as error:
            problems.append(Problem(here, f"cannot be listed: {error.strerror or error}"))
            continue
        for path in entries:
            if path.name.startswith("."):
                continue
            looks = path.suffix.lower() in READ_SUFFIXES
            try:
                mode = path.stat().st_mode
            except (OSError, ValueError) as error:
                if looks or not path.suffix:  # without a suffix it may have been a folder of pictures
                    problems.append(Problem(path, _cause(path, error)))
                continue
            if stat.S_ISDIR(mode):
                if deep:
                    (linked if path.is_symlink() else waiting).append(path)
            elif looks and stat.S_ISREG(mode):
                paths.append(path)
            elif looks:
                problems.append(Problem(path, "is no file"))
    return Found(tuple(sorted(paths)), tuple(problems))


def _identity(folder: Path) -> object:
    """Equal for two names of one folder."""
    try:
        facts = folder.stat()
    except (OSError, ValueError):
        return folder
    return facts.st_dev, facts.st_ino


def _cause(path: Path, error: OSError | ValueError) -> str:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.ELOOP:
        return "is a link that leads in a circle"
    if code in (errno.ENOENT, errno.ENOTDIR) and path.is_symlink():
        return f"is a link to {path.readlink()}, which does not exist"
    return f"cannot be reached: {getattr(error, 'strerror', None) or error}"
