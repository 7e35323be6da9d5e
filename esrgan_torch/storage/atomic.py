"""Files and folders that are either whole or not there."""

import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_LONGEST_SUFFIX = 16


@contextmanager
def atomic_path(target: Path) -> Generator[Path]:
    """Yield a temporary path beside `target`; when the block ends well, it takes the target's place.

    When the block raises, Ctrl-C included, the temporary file is removed and the target is left as it
    was. The temporary name keeps the target's suffix, by which some writers choose the format, unless it is
    longer than any format's; the rest is hexadecimal, which says nothing to those who read meaning from a
    file's name ("x4"). So it is short wherever the target's name is as long as the file system allows.

    Args:
        target: the file to make; its folder must exist.

    Raises:
        OSError: the folder is missing, read-only or full.
    """
    suffix = target.suffix if len(target.suffix) <= _LONGEST_SUFFIX else ""
    temporary = target.with_name(f".{secrets.token_hex(8)}.part{suffix}")
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(target: Path) -> Generator[Path]:
    """Yield an empty temporary folder beside `target`; when the block ends well, it takes the target's place.

    When the block raises, Ctrl-C included, the temporary folder is removed with all that is in it.

    Args:
        target: the folder to make; it must not exist, or be empty.

    Raises:
        OSError: the parent is missing, read-only or full, or the target is not empty.
    """
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    temporary.mkdir()
    try:
        yield temporary
        temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
