"""Where pictures come from and go to; what the system says of a path becomes an error for people."""

import errno
import os
import re
import stat
from pathlib import Path
from typing import BinaryIO

from esrgan_torch.errors import ImageReadError, ImageWriteError
from esrgan_torch.storage.atomic import atomic_path
from esrgan_torch.storage.paths import of_address

Source = str | os.PathLike[str] | bytes | BinaryIO
"""What a picture is read from: a path, the content of a file, or a file open for reading bytes."""

Target = str | os.PathLike[str] | BinaryIO
"""What a picture is written to: a path, or a file open for writing bytes."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # as a path it has one stroke; a drive has one letter

_NOT_FILES = (
    (stat.S_ISDIR, "is a folder; give a picture file"),
    (stat.S_ISFIFO, "is a named pipe, not a file; save what comes through it, or pass its bytes"),
    (stat.S_ISCHR, "is a device, not a picture file"),
    (stat.S_ISBLK, "is a device, not a picture file"),
    (stat.S_ISSOCK, "is a socket, not a picture file"),
)


def name_of(place: Source | Target) -> str:
    """What to call it in messages: its path, or for bytes and nameless files "the given ..."."""
    if isinstance(place, bytes):
        return "the given picture"
    if isinstance(place, (str, os.PathLike)):
        return str(place)
    name = getattr(place, "name", None)
    return name if isinstance(name, str) else "the given file"


def suffix_of(place: Source | Target) -> str:
    """The suffix of a path in lower case, with its dot; "" for bytes and open files."""
    return Path(place).suffix.lower() if isinstance(place, (str, os.PathLike)) else ""


class OpenSource:
    """The beginning of a picture file, and on demand all of it.

    A path is opened only where it leads to a regular file: opening a pipe would wait for a writer.

    Args:
        source: see `Source`.
        head: how many bytes of the beginning to read.

    Attributes: name, suffix, head (so many bytes, or all there are).

    Raises:
        ImageReadError: it is missing, no regular file, may not be read, or reading fails.
    """

    def __init__(self, source: Source, head: int) -> None:
        self.name, self.suffix = name_of(source), suffix_of(source)
        self._source = source
        if isinstance(source, bytes):
            self.head = source[:head]
        elif isinstance(source, (str, os.PathLike)):
            path = Path(source)
            try:
                _check_regular(path)
                with path.open("rb") as file:
                    self.head = file.read(head)
            except (OSError, ValueError) as error:
                raise ImageReadError(f"{path} {_read_cause(path, error)}") from error
        else:
            self.head = self._read_on(source, head)

    def read(self) -> bytes:
        """The whole content; once."""
        source = self._source
        if isinstance(source, bytes):
            return source
        if isinstance(source, (str, os.PathLike)):
            path = Path(source)
            try:
                return path.read_bytes()
            except OSError as error:
                raise ImageReadError(f"{path} {_read_cause(path, error)}") from error
        return self.head + self._read_on(source, -1)

    def _read_on(self, file: BinaryIO, size: int) -> bytes:
        try:
            return file.read(size)
        except OSError as error:
            raise ImageReadError(f"{self.name} cannot be read: {error.strerror or error}") from error


def store(target: Target, data: bytes) -> None:
    """Write a whole file, or none: what was there before stays if it fails. An open file is appended to.

    Raises:
        ImageWriteError: the folder is missing, read-only or full, or the name is too long.
    """
    try:
        if isinstance(target, (str, os.PathLike)):
            with atomic_path(Path(target)) as temporary:
                temporary.write_bytes(data)
        else:
            target.write(data)
            target.flush()
    except (OSError, ValueError) as error:
        raise ImageWriteError(f"cannot write {name_of(target)}: {_write_cause(target, error)}") from error


def _check_regular(path: Path) -> None:
    mode = path.stat().st_mode
    for is_kind, text in _NOT_FILES:
        if is_kind(mode):
            raise _NotAFileError(text)


class _NotAFileError(OSError):
    """The path leads to something else."""


def _read_cause(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, _NotAFileError):
        return str(error)
    if isinstance(error, FileNotFoundError):
        if (meant := of_address(path.as_posix())) is not None:
            return f"is an address, not a path; give {meant}"
        if _ADDRESS.match(path.as_posix()):
            return "is an address, not a file; download it first, or give what it sends as bytes"
        return "is a link that leads nowhere" if path.is_symlink() else "does not exist"
    if isinstance(error, PermissionError):
        return "may not be read: permission denied"
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "is a link that leads back to itself"
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return "cannot exist: its name is longer than the file system allows"
    return f"cannot be read: {getattr(error, 'strerror', None) or error}"


def _write_cause(target: Target, error: OSError | ValueError) -> str:
    if not isinstance(target, (str, os.PathLike)):
        return getattr(error, "strerror", None) or str(error)
    path = Path(target)
    if not isinstance(error, OSError):
        return str(error)
    if error.errno == errno.ENAMETOOLONG:
        length = len(os.fsencode(path.name))
        return f"its name of {length} bytes is longer than the file system allows; shorten it"
    if path.is_dir():
        return "it is a folder; give a file name"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"the folder {path.parent} does not exist; create it first"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"the folder {path.parent} is read-only; choose another or change its permissions"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk that holds {path.parent} is full; free some space"
    return error.strerror or str(error)
