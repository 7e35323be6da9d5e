"""A reader that outlives a file which makes its decoder crash.

Kinds that may do so are decoded in a process of its own, which is started when the first of them is met, and
replaced when it dies.
"""

import itertools
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from esrgan_torch import errors
from esrgan_torch.errors import ConfigError, EsrganError, ImageReadError
from esrgan_torch.images import worker as image_worker
from esrgan_torch.images.files import DEFAULT_MAX_PIXELS, decoded_here, kind_of, named
from esrgan_torch.images.kinds import HEAD
from esrgan_torch.images.picture import Frame, Frames, Picture, Pixels
from esrgan_torch.images.places import OpenSource, Source
from esrgan_torch.images.read_rows import RowFile, rows_of
from esrgan_torch.images.wire import Bytes, Wire, start

ISOLATED = frozenset(("TIFF", "JPEG XL", "HEIF", "AVIF"))
"""Kinds that are decoded apart; docs/pictures.md says by which measurement."""

_START_LIMIT = 120.0  # seconds that a process may take to start, on a machine with much else to do

WORKER = image_worker.__name__
"""The module that the process runs."""

TIME_LIMIT = 120.0
"""Seconds for a picture: some twenty times as long as the slowest of 268 million pixels took."""


class Reader:
    """Reads picture files as `read_frames` does, those of some kinds in a process of their own.

    One process decodes one frame at a time: a second thread waits. It is started when it is needed, and
    replaced when a file made it crash or took too long. Pixels come back in shared memory. Decoding there
    goes on beside whatever this process does, so a thread that reads ahead keeps a network busy.

    Args:
        max_pixels: as in `read_frames`.
        time_limit: seconds for each frame.
        isolated: kinds, as `recognise` names them, that are decoded apart.

    Use it as a context manager, or `close` it.

    Example:
        >>> with Reader() as reader:
        ...     frames = reader.read_frames("stranger.tif")
        ...     picture = frames.first()
    """

    def __init__(
        self,
        *,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        time_limit: float = TIME_LIMIT,
        isolated: frozenset[str] = ISOLATED,
    ) -> None:
        if max_pixels < 1:
            raise ConfigError(f"max_pixels must be at least 1, not {max_pixels}")
        self._max_pixels, self._time_limit = max_pixels, time_limit
        # a program that was packed into one file has no Python to start
        self._isolated = frozenset[str]() if getattr(sys, "frozen", False) else isolated
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: Wire | None = None
        self._open: _File | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process. Frames that are not yet read start another."""
        with self._lock:
            self._end()

    @property
    def started(self) -> bool:
        """Whether there is a process now."""
        return self._process is not None

    def read_frames(self, source: Source) -> Frames:
        """As `esrgan_torch.read_frames`.

        Raises:
            ImageReadError: also where the decoder crashed on the file, or took longer than the time limit.
            Others as in `read_frames`.
        """
        opened = OpenSource(source, HEAD)
        kind = kind_of(opened)
        if kind not in self._isolated:
            return decoded_here(opened.name, kind, opened.read(), self._max_pixels)
        path = os.path.abspath(source) if isinstance(source, (str, os.PathLike)) else None  # noqa: PTH100
        file = _File(opened.name, kind, path, b"" if path is not None else opened.read())
        facts = self._ask(file, None, self._time_limit)[0]
        count, timed, memory = int(facts["count"]), bool(facts["timed"]), int(facts["memory"])

        def first() -> Picture:
            return self._frame(file, {"first": True}, self._time_limit).picture

        def decode() -> Iterator[Frame]:
            for number in range(count):
                # to know their channels, all frames of an animation are decoded before the first is given
                limit = self._time_limit * (count if timed and number == 0 else 1)
                yield self._frame(file, {"frame": number}, limit)

        return Frames(count, timed, int(facts["loop"]), first, decode, memory)

    def read_rows(self, path: Path) -> RowFile | None:
        """As `esrgan_torch.images.read_rows.rows_of`: a file that is read by rows; None for all others.

        PNG files are unpacked in this process, as when they are decoded whole: by zlib and the same decoder.

        Raises:
            ImageReadError: also where the decoder crashed on the file, or took longer than the time limit;
                also while it is read.
        """
        kind = kind_of(OpenSource(path, HEAD))
        if kind not in self._isolated:
            return rows_of(path)
        file = _File(str(path), kind, os.path.abspath(path), b"", rows=True)  # noqa: PTH100
        size: list[int] | None = self._ask(file, None, self._time_limit)[0]["rows"]
        if size is None:
            return None
        height, width, channels, bits = size
        about = self._frame(file, {"first": True}, self._time_limit).picture

        def bands() -> Iterator[Pixels]:
            for number in itertools.count():
                facts, blocks = self._ask(file, {"frame": number}, self._time_limit)
                if facts.get("end"):
                    return
                with named(file.name, file.kind):
                    band = image_worker.frame_of(facts, blocks).picture.pixels
                yield band

        return RowFile(height, width, channels, bits, about, False, bands)

    def _frame(self, file: "_File", request: dict[str, Any], limit: float) -> Frame:
        facts, blocks = self._ask(file, request, limit)
        with named(file.name, file.kind):
            return image_worker.frame_of(facts, blocks)

    def _ask(
        self, file: "_File", request: dict[str, Any] | None, limit: float
    ) -> tuple[dict[str, Any], list[Bytes]]:
        """The answer about a file, which is opened first where another one is, or none."""
        said: list[str] = []
        with self._lock:
            answer: dict[str, Any] = {}
            blocks: list[Bytes] = []
            if request is None or self._open is not file:
                opening: dict[str, Any] = {"open": file.kind, "max_pixels": self._max_pixels}
                opening |= {"path": file.path, "rows": file.rows}
                answer, blocks = self._exchange(file, opening, [file.data], limit)
                self._open = None if "error" in answer else file
                said += answer["said"] if request is None else []  # else it was said before
            if request is not None and "error" not in answer:
                answer, blocks = self._exchange(file, request, [], limit)
                said += answer["said"]
        for line in said:
            warnings.warn(str(line), stacklevel=2)
        if "error" in answer:
            raise _error(file, str(answer["error"]), str(answer["text"]))
        return answer, blocks

    def _exchange(
        self, file: "_File", message: dict[str, Any], blocks: list[bytes], limit: float
    ) -> tuple[dict[str, Any], list[Bytes]]:
        process, wire = self._running()
        late = threading.Event()
        try:
            with _ended_after(limit, process, late):
                wire.send(message, blocks)
                return wire.receive()
        except (EOFError, OSError, ValueError) as error:
            self._end()
            if late.is_set():
                raise ImageReadError(
                    f"{file.name}: the decoder took longer than {limit:,.0f} seconds; the file is damaged, "
                    "or made to be slow"
                ) from error
            raise ImageReadError(
                f"{file.name}: the decoder crashed{_manner(process)}; the {file.kind} file is damaged, or "
                "made to do that"
            ) from error
        except BaseException:  # Ctrl-C: what is on the wire belongs to nobody
            self._end()
            raise

    def _running(self) -> tuple[subprocess.Popen[bytes], Wire]:
        if self._process is not None and self._wire is not None:
            return self._process, self._wire
        try:
            self._process, self._wire = start(WORKER)
            with _ended_after(_START_LIMIT, self._process, threading.Event()):
                self._wire.receive()
        except (EOFError, OSError, ValueError) as error:
            self._end()
            raise ImageReadError(
                f"no process for decoding can be started ({error or 'it ended at once'}); close other "
                "programs"
            ) from error
        except BaseException:
            self._end()
            raise
        return self._process, self._wire

    def _end(self) -> None:
        if self._process is None or self._wire is None:
            return
        self._wire.close()
        self._process.kill()
        self._process.wait()
        self._process = self._wire = self._open = None


@contextmanager
def _ended_after(limit: float, process: "subprocess.Popen[bytes]", late: threading.Event) -> Generator[None]:
    """End a process that is still at work after so many seconds, and set the event then."""

    def stop() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(limit, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


_UNREADABLE = "unreadable"


class _File:
    """A file that is decoded apart: at its path, or what it holds; by rows, or whole."""

    def __init__(self, name: str, kind: str, path: str | None, data: bytes, *, rows: bool = False) -> None:
        self.name, self.kind, self.path, self.data, self.rows = name, kind, path, data, rows


def _manner(process: "subprocess.Popen[bytes]") -> str:
    """How it ended, where the system says so."""
    return f" (signal {-process.returncode})" if (process.returncode or 0) < 0 else ""


def _error(file: _File, name: str, text: str) -> Exception:
    """What went wrong in the other process, as it would have been raised here."""
    known = getattr(errors, name, None)
    if name == _UNREADABLE:
        return ImageReadError(f"{file.name} cannot be read: {text}")
    if name == "MemoryError":
        return ImageReadError(f"{file.name}: its decoder asks for more memory than its header accounts for")
    if isinstance(known, type) and issubclass(known, ImageReadError):
        return known(f"{file.name}: {text}")
    if isinstance(known, type) and issubclass(known, EsrganError):
        return known(text)
    return ImageReadError(f"{file.name} is a damaged {file.kind} file: {text}")
