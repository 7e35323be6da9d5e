"""One file from its URLs, by the standard library: resumed where it stopped, verified, then renamed.

A download is written to `NAME.part` beside its target. While it runs, that file has a name of its own
(`.NAME.<mark>.part`, see `esrgan_torch.storage.leftovers`), so that two processes never write to the same
one; when it stops half-way, it is renamed back to `NAME.part` and the next attempt resumes it. A
process that was killed leaves the file under its own name: the next attempt takes the longest of these up,
and removes the others.

A part with the wrong sha256 is deleted. So is one that filled the disk, to give the room back.
"""

import contextlib
import errno
import http.client
import io
import re
import sys
import urllib.error
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from esrgan_torch.storage.leftovers import END, leftovers, mark
from esrgan_torch.words import whole_number
from esrgan_weights.cache import CHUNK, difference
from esrgan_weights.errors import FetchError
from esrgan_weights.registry import File
from esrgan_weights.sources.addresses import TIMEOUT, length_of, open_url

if TYPE_CHECKING:
    from tqdm import tqdm

ATTEMPTS = 5  # on one URL, as long as each brings the file forward
LARGEST = 2 * 2**30  # bytes of a file whose size is not known: a network's weights are far smaller


class SourceError(Exception):
    """This source did not give the file; the next one may."""


def download(file: File, target: Path, *, progress: bool | None = None) -> list[tuple[str, str]]:
    """Fetch `file` to `target`, from the first of its URLs that gives the right bytes.

    Args:
        file: what to fetch.
        target: where to; its folder must exist.
        progress: see `FetchOptions`.

    Returns:
        (URL, reason) for each URL that failed; the last one of `file.urls` among them means that
        `target` was not made.

    Raises:
        FetchError: the file cannot be written (disk full, folder read-only).
    """
    failures: list[tuple[str, str]] = []
    with _part_of(target) as part:
        for url in file.urls:
            try:
                _from_url(url, file, part, progress)
            except SourceError as error:
                failures.append((url, str(error)))
            else:
                part.replace(target)
                break
    return failures


def _from_url(url: str, file: File, part: Path, progress: bool | None) -> None:
    """Complete `part` from one URL and verify it."""
    resumed = part.exists()
    for _ in range(ATTEMPTS):
        before = _size(part)
        if file.size is None or before < file.size:
            problem = _receive(url, file, part, progress)
            if problem and resumed and not part.exists():
                resumed = False  # the server would not go on from there
                continue
            if problem and _size(part) <= before:
                raise SourceError(problem)
            if problem:
                continue
        wrong = difference(part, file)
        if wrong is None:
            return
        part.unlink()
        if not resumed:
            raise SourceError(f"the server sent another file: {wrong}")
        resumed = False  # the bytes that were there may be the wrong ones: once more from the start
    raise SourceError(f"the connection broke {ATTEMPTS} times; the next attempt resumes")


def _receive(url: str, file: File, part: Path, progress: bool | None) -> str | None:
    """Append to `part` what the server sends; return what went wrong, or None when it is complete."""
    start = _size(part)
    try:
        with open_url(url, start) as response:
            start = _start(response, file, start)
            length = length_of(response)
            total = file.size or (start + length if length else None)
            most = min(total or LARGEST, LARGEST)
            with progress_bar(file.name, total, start, progress) as bar, _open(part, start) as stream:
                received = start
                # read1 hands over what has arrived, so that a broken connection loses nothing
                while received <= most and (chunk := response.read1(CHUNK)):
                    _write(stream, chunk, part)
                    received += len(chunk)
                    bar.update(len(chunk))
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
        error.close()
        return f"HTTP {error.code} {error.reason}"
    except urllib.error.URLError as error:
        return f"no connection: {error.reason}"
    except TimeoutError:
        return f"no answer for {TIMEOUT:g} s"
    except (http.client.HTTPException, OSError) as error:
        return f"the connection broke: {type(error).__name__} {error}".rstrip()
    if total is not None and received < total:
        return f"the connection ended after {received:,} of {total:,} bytes"
    if received > most:
        part.unlink()
        raise SourceError(f"the server sends more than the expected {most:,} bytes")
    return None


def _start(response: http.client.HTTPResponse, file: File, asked: int) -> int:
    """Where the server's bytes begin: at the place that was asked for, or at 0 if it ignores ranges."""
    if response.headers.get_content_type() == "text/html":
        raise SourceError("the server answered with a web page")
    if response.status == http.client.PARTIAL_CONTENT:
        pattern = r"bytes (\d+)-\d+/(\d+|\*)"
        found = re.fullmatch(pattern, response.headers.get("Content-Range", ""))
        if not found or whole_number(found[1]) != asked or found[2] not in ("*", str(file.size or found[2])):
            raise SourceError("the server did not resume where the download stopped")
        return asked
    length = length_of(response)
    if length is not None and file.size is not None and length != file.size:
        raise SourceError(f"the server has {length:,} bytes where {file.size:,} are expected")
    return 0


def _open(part: Path, start: int) -> io.FileIO:
    """`part`, cut at `start` bytes and ready to go on there; unbuffered, so that closing cannot fail."""
    try:
        stream = io.FileIO(part, "r+" if start else "w")
        stream.truncate(start)
        stream.seek(start)
    except OSError as error:
        raise disk_error(error, part) from error
    return stream


def _write(stream: io.FileIO, chunk: bytes, part: Path) -> None:
    view = memoryview(chunk)
    try:
        while view:
            view = view[stream.write(view) :]
    except OSError as error:
        raise disk_error(error, part) from error


def disk_error(error: OSError, path: Path) -> FetchError:
    """What to tell the user when `path` cannot be written; on a full disk, `path` is deleted first."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        path.unlink(missing_ok=True)
        problem = (
            f"the disk that holds {path.parent} is full; the partial download was deleted. Free some room"
        )
    else:
        problem = f"{path.parent} cannot be written to ({error.strerror}). Change that"
    return FetchError(f"{problem}, or choose another cache folder with --cache or ESRGAN_CACHE.")


@contextmanager
def _part_of(target: Path) -> Generator[Path]:
    """A partial file that is this process's alone, holding what an earlier attempt left."""
    shared = target.with_name(f"{target.name}.part")
    mine = target.with_name(f".{target.name}.{mark()}{END}")
    left = [shared, *leftovers(target.parent, f".{target.name}.")]
    for part in sorted(left, key=_size, reverse=True):
        # a rename is atomic: of two processes, one gets the file and the other an error
        with contextlib.suppress(FileNotFoundError):
            if _size(mine):
                part.unlink()
            else:
                part.replace(mine)
    try:
        yield mine
    finally:
        if _size(mine):
            mine.replace(shared)
        else:
            mine.unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def announce(text: str, progress: bool | None) -> None:
    """A line on stderr, unless `progress` is False."""
    if progress is not False and sys.stderr is not None:
        print(text, file=sys.stderr, flush=True)


def progress_bar(name: str, total: int | None, start: int, progress: bool | None) -> "tqdm[NoReturn]":
    """A bar of bytes on stderr, where `progress` asks for one; None: on a terminal, and elsewhere a line."""
    from tqdm import tqdm

    disable = None if progress is None else not progress
    if progress is None and not (sys.stderr and sys.stderr.isatty()):
        size = f" ({total / 1e6:.1f} MB)" if total else ""
        rest = f", from byte {start:,} on" if start else ""
        announce(f"downloading {name}{size}{rest}", progress)
    return tqdm(
        total=total,
        initial=start,
        desc=name,
        unit="B",
        unit_scale=True,
        disable=disable,
        leave=False,
    )
