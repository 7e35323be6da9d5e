"""Paths as users give them, and what goes wrong with them, as one line.

Libraries tell the same thing in many ways: `OSError` with or without the path, `RuntimeError` for a link that
leads in a circle or a home that nobody has, PyTorch's own errors on a full disk. `trouble` knows them all.
"""

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes

# how PyTorch's writer of archives, in C++, says that the file system refused; it keeps no error number
_TORCH = ("PytorchStreamWriter", "inline_container.cc", "cannot be opened", "Parent directory")
_PROBED = 1 << 20  # bytes that are written to learn why nothing can be
_WORDS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of the disk is used up",
    errno.ENOENT: "there is no such file or folder",
    errno.EACCES: "permission denied",
    errno.EROFS: "the file system is read-only",
    errno.ELOOP: "it is a link that leads in a circle",
    errno.ENAMETOOLONG: "its name is too long for the file system",
    errno.EISDIR: "it is a folder",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
}


def expanded(path: Path | str) -> Path:
    """The path with `~` replaced; as it is where no such user is known."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def of_address(text: str) -> Path | None:
    """The path that an address such as file:///folder/my%20picture.png stands for; None for any other text.

    Source: RFC 8089. What another machine has is no path here.
    """
    found = re.fullmatch(r"file:(?://(?:localhost)?)?(/(?!/).*)", text, re.IGNORECASE | re.DOTALL)
    if found is None:
        return None
    path = os.fsdecode(unquote_to_bytes(found[1]))
    return Path(path[1:] if re.match(r"/[A-Za-z]:/", path) and os.name == "nt" else path)


def real(path: Path) -> Path:
    """The path without links and dots, as far as it can be followed. Never raises."""
    try:
        return Path(os.path.realpath(path))  # Path.resolve raises on a link that leads in a circle
    except (OSError, ValueError):  # the working folder is gone, or the name is none
        return path


def exists(path: Path | str) -> bool:
    """Whether it is there; False too for a name that is too long for any file."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def trouble(error: BaseException, path: Path | str | None = None) -> OSError | None:
    """What the system said of a file, whoever raised it; None where the error is about something else.

    Args:
        error: as it was caught. Where it only came of another one, as PyTorch's do, that one counts.
        path: named where the error names none.

    Returns:
        An error that has `errno`, words for people in `strerror`, and the path in `filename` if it is known.
    """
    found = next((each for each in _chain(error) if isinstance(each, OSError | UnicodeError)), None)
    if isinstance(found, UnicodeError):
        return _unicode(found, path)
    if found is not None and found.errno is None:  # NumPy's, of a file that it could not write to the end
        code = _probe(path)
        return _named(code, _WORDS.get(code, str(found)), found.filename or path)
    if found is not None:
        return _named(found.errno, _words(found), found.filename or path)
    text = str(error)
    if isinstance(error, RuntimeError) and text.startswith("Symlink loop"):
        return _named(errno.ELOOP, _WORDS[errno.ELOOP], path or text.partition("'")[2].rstrip("'"))
    if isinstance(error, RuntimeError) and text.startswith("Could not determine home"):
        return _named(errno.ENOENT, "nobody here has such a home folder", path)
    if isinstance(error, RuntimeError) and any(words in text for words in _TORCH):
        code = _probe(path)
        return _named(code, _WORDS.get(code, text.splitlines()[0]), path)
    return None


def line(error: OSError) -> str:
    """What `trouble` found, in one line that begins with the path."""
    cause = error.strerror or _words(error)
    return cause if error.filename is None else f"{os.fsdecode(error.filename)}: {cause}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and where a library in C raised it on top of another one, that one too."""
    yield error
    if isinstance(error, RuntimeError):
        before = error.__cause__ or error.__context__
        if before is not None and before is not error:
            yield from _chain(before)


def _named(code: int | None, words: str, path: object) -> OSError:
    found = OSError(code, words)
    found.filename = path if path is None or isinstance(path, int) else os.fspath(path)  # pyright: ignore
    return found


def _words(error: OSError) -> str:
    return _WORDS.get(error.errno or 0) or error.strerror or str(error) or type(error).__name__


def _unicode(error: UnicodeError, path: Path | str | None) -> OSError:
    given = getattr(error, "object", None)
    if isinstance(given, str):  # a name that a library would pass on as text
        return _named(errno.EILSEQ, "its name holds bytes that are no text; rename it", path or given)
    return _named(errno.EILSEQ, f"it holds bytes that are no text ({error})", path)


def _probe(path: Path | str | None) -> int:
    """Why nothing can be written there, asked of the system once more."""
    if path is None:
        return errno.EIO
    folder = Path(path).parent
    try:
        if hasattr(os, "statvfs") and os.statvfs(folder).f_bavail == 0:
            return errno.ENOSPC
        if Path(path).is_dir():
            return errno.EISDIR
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            # what is nearly full, or has a quota, takes an empty file
            while file.tell() < _PROBED:
                file.write(bytes(1 << 16))
            os.fsync(file.fileno())
            return errno.EIO
    except OSError as error:
        return error.errno or errno.EIO
