"""Files and folders that are either whole or not there."""

import errno
import shutil
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from esrgan_torch.storage.leftovers import END, mark, sweep
from esrgan_torch.storage.paths import trouble

_LONGEST_SUFFIX = 16


@contextmanager
def atomic_path(target: Path) -> Generator[Path]:
    """Yield a temporary path beside `target`; when the block ends well, it takes the target's place.

    When the block raises, Ctrl-C included, the temporary file is removed and the target is left as it
    was. The temporary name keeps the target's suffix, by which some writers choose the format, unless it is
    longer than any format's; the rest is hexadecimal, which says nothing to those who read meaning from a
    file's name ("x4"). So it is short wherever the target's name is as long as the file system allows.
    What a killed process left in the folder is removed, see `esrgan_torch.storage.leftovers`.

    Args:
        target: the file to make; its folder must exist.

    Raises:
        OSError: the folder is missing, read-only or full, or the target is a pipe, a socket or a device;
            `filename` is the target. Errors of writing that PyTorch raises in its own way are such too.
    """
    refuse_special(target)
    suffix = target.suffix if len(target.suffix) <= _LONGEST_SUFFIX else ""
    temporary = target.with_name(f".{mark()}{END}{suffix}")
    with _told_of(target, temporary):
        sweep(target.parent)
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
    temporary = target.with_name(f".{mark()}{END}")
    with _told_of(target, temporary):
        sweep(target.parent)
        temporary.mkdir()
        try:
            yield temporary
            temporary.replace(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def refuse_special(target: Path) -> None:
    """Raise `OSError` where a file would take the place of a pipe, a socket or a device.

    With root's rights that would be the end of /dev/null for everybody.
    """
    try:
        mode = target.stat().st_mode
    except (OSError, ValueError):
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        words = "it is a pipe, a socket or a device, where a file is to be written; choose another name"
        raise OSError(errno.EINVAL, words, str(target))


@contextmanager
def _told_of(target: Path, temporary: Path) -> Generator[None]:
    """Let what goes wrong with the temporary name be told of the target, which a user knows."""
    try:
        yield
    except (ConnectionError, TimeoutError):  # of the block's own doing
        raise
    except (OSError, RuntimeError) as error:
        found = trouble(error, temporary)
        if found is None:
            raise
        named = found.filename
        inside = isinstance(named, str | bytes) and temporary in (
            Path(_text(named)),
            *Path(_text(named)).parents,
        )
        if isinstance(error, OSError) and error.errno is not None:
            if error.filename is None or inside:
                error.filename, error.filename2 = str(target), None
            raise
        found.filename = str(target) if inside else named
        raise found from error


def _text(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode(errors="surrogateescape")
