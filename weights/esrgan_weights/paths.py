"""Paths as users give them, whatever stands in them: an odd one is a file that is not there, and no fault."""

from pathlib import Path


def expanded(path: Path | str) -> Path:
    """The path with `~` replaced; as it is where no such user is known."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def exists(path: Path | str) -> bool:
    """Whether it is there; False too for a name that is too long for any file."""
    try:
        return Path(path).exists()
    except OSError:
        return False
