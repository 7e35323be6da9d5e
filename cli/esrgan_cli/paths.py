"""The file system as it answers: every question about a path is asked here, and no answer is an exception.

A link that leads nowhere, a pipe, a folder without permission, a server that is gone: each is a sentence for
people, so that one bad name costs nothing but itself.
"""

import errno
import hashlib
import os
import stat
import tempfile
import unicodedata
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from esrgan_torch.errors import ImageWriteError
from esrgan_torch.storage.paths import real

Kind = Literal["file", "folder", "absent", "other", "unknown"]
NAME_BYTES = (
    255  # the longest name of almost every file system; Windows counts UTF-16 units, which are no more
)

_LEAST_RESULT = 1 << 16  # bytes

_ODD_KINDS = (
    (stat.S_ISFIFO, "a pipe, not a picture file; to read from a pipe, give - and send it to stdin"),
    (stat.S_ISSOCK, "a socket, not a picture file"),
    (stat.S_ISCHR, "a device, not a picture file"),
    (stat.S_ISBLK, "a device, not a picture file"),
)


@dataclass(frozen=True)
class Found:
    """What stands at a path.

    Args:
        kind: "file" and "folder" can be used; "absent" is a free name, or a link to nowhere; "other" is a
            pipe, a device and the like; "unknown" is what the system does not tell about.
        cause: why it is no file and no folder, the end of a sentence that begins with the path; else empty.
        identity: equal for two names of one file, hard links and other spellings included.
        size, changed: of a file, in bytes and in ns since 1970.
    """

    kind: Kind
    cause: str = ""
    identity: Hashable = None
    size: int = 0
    changed: int = 0


def look(path: Path) -> Found:
    """What stands at a path, links followed. Never raises."""
    try:
        facts = path.stat()
    except (
        OSError,
        ValueError,
    ) as error:  # ValueError: a name that no system call takes, with a zero byte in it
        return _not_reached(path, error)
    mode = facts.st_mode
    # some file systems number no files
    identity = (facts.st_dev, facts.st_ino) if facts.st_ino else folded(real(path))
    if stat.S_ISREG(mode):
        return Found("file", "", identity, facts.st_size, facts.st_mtime_ns)
    if stat.S_ISDIR(mode):
        return Found("folder", "", identity)
    for is_kind, words in _ODD_KINDS:
        if is_kind(mode):
            return Found("other", f"is {words}", identity)
    return Found("other", "is no file and no folder", identity)


def is_link(path: Path) -> bool:
    """Whether the name itself is a link, wherever it leads."""
    try:
        return stat.S_ISLNK(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def listing(folder: Path) -> tuple[list[Path], str]:
    """The entries of a folder in the order of their names; or none, and why, as the end of a sentence."""
    try:
        return sorted(folder.iterdir()), ""
    except OSError as error:
        return [], f"cannot be listed: {cause_of(error)}"


def longest_name(folder: Path) -> int:
    """Bytes that the name of a file in `folder`, which need not exist yet, may have."""
    for place in (folder, *folder.parents):
        if look(place).kind == "folder":
            try:
                return min(os.pathconf(place, "PC_NAME_MAX"), NAME_BYTES)
            except (AttributeError, OSError, ValueError):  # Windows has no pathconf
                return NAME_BYTES
    return NAME_BYTES


def make_folder(folder: Path) -> None:
    """Create a folder where it is missing, and make sure that files can be created in it, and be written.

    Raises:
        ImageWriteError: they cannot; a disk that is full is found out before the work, not after it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_LEAST_RESULT))
    except (OSError, ValueError) as error:
        raise ImageWriteError(
            f"cannot write into the folder {folder}: {cause_of(error)}; choose another with -o"
        ) from error


def read_head(path: Path, size: int) -> bytes:
    """The first bytes of a file; nothing where it cannot be read, or is no file."""
    if look(path).kind != "file":
        return b""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""


def read_from(path: Path, start: int) -> bytes:
    """What a file holds from its byte `start` on; nothing where it cannot be read, or is no file."""
    if look(path).kind != "file":
        return b""
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read()
    except OSError:
        return b""


def sha256_of(path: Path) -> str:
    """Of a file's content, in hexadecimal; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def append(path: Path, line: bytes) -> str:
    """Append a line to a file, by one system call; why that cannot be, in the system's words, or nothing."""
    if look(path).kind not in ("file", "absent"):
        return f"{path.name} {look(path).cause or 'is a folder'}"
    try:
        number = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            end = os.lseek(number, 0, os.SEEK_END)
            os.lseek(number, max(end - 1, 0), os.SEEK_SET)
            # a line that a full disk cut off must not spoil this one
            broken = os.read(number, 1) not in (b"", b"\n")
            os.write(number, (b"\n" if broken else b"") + line + b"\n")
        finally:
            os.close(number)
    except OSError as error:
        return cause_of(error)
    return ""


def folded(path: Path) -> Hashable:
    """Equal for paths that some file system takes for one: without case, composed or not."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def cause_of(error: OSError | ValueError) -> str:
    """Why, in the system's words."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _not_reached(path: Path, error: OSError | ValueError) -> Found:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.ELOOP:
        return Found("other", "is a link that leads in a circle")
    if code in (errno.ENOENT, errno.ENOTDIR):
        return Found("absent", _absence(path))
    if code == errno.ENAMETOOLONG:
        return Found("unknown", "is a name that is too long for its file system")
    if code in (errno.EACCES, errno.EPERM):
        return Found("unknown", "cannot be reached: its folder may not be entered (permission denied)")
    return Found("unknown", f"cannot be reached: {cause_of(error)}{_pattern(path)}")


def _absence(path: Path) -> str:
    if is_link(path):
        try:
            return f"is a link to {path.readlink()}, which does not exist"
        except OSError:
            return "is a link to what does not exist"
    return f"does not exist{_pattern(path)}"


def _pattern(path: Path) -> str:
    if not any(character in str(path) for character in "*?["):
        return ""
    return "; nothing matched it, or the shell leaves patterns alone: give the folder itself"
