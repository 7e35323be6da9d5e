"""Files that are either whole or not there."""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(target: Path) -> Generator[Path]:
    """Yield a temporary path beside `target`; when the block ends well, it takes the target's place.

    When the block raises, Ctrl-C included, the temporary file is removed and the target is left as it
    was. The temporary name keeps the target's suffix, by which some writers choose the format; the rest is
    hexadecimal, which says nothing to those who read meaning from a file's name ("x4").

    Args:
        target: the file to make; its folder must exist.

    Raises:
        OSError: the folder is missing, read-only or full.
    """
    temporary = target.with_name(f".{secrets.token_hex(8)}.part{target.suffix}")
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def give_usual_mode(path: Path, mode: int) -> None:
    """Give the mode that open() or mkdir() would have given; what tempfile makes, only its owner may read.

    Args:
        path: the file or folder.
        mode: 0o666 for a file, 0o777 for a folder; the process's mask is taken off.
    """
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(mode & ~mask)
