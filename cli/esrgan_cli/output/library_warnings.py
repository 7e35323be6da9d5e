"""What libraries say while a picture is read, enlarged and written, with the name of its file.

They say it in three ways: by Python's `warnings` (Pillow, this project), by `logging` (tifffile, Pillow, this
project), and by printing to `sys.stderr` (libpng, through imagecodecs). None of them knows the file.
"""

import io
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TextIO

from esrgan_cli.output.console import Console

Tell = Callable[[str], None]

_LOGGERS = ("esrgan_torch", "PIL", "tifffile", "imagecodecs")
_MODULES = r"(esrgan_torch|PIL|tifffile|imagecodecs|pillow_heif)(\.|$)"
_about: ContextVar[tuple[Path, set[str]] | None] = ContextVar("_about", default=None)


@contextmanager
def about(file: Path, told: set[str] | None = None) -> Generator[None]:
    """What libraries say in this block, in this thread, concerns `file`.

    The same words are told once; with `told`, once in all blocks, of whatever threads, that have it.
    """
    token = _about.set((file, set() if told is None else told))
    try:
        yield
    finally:
        _about.reset(token)


@contextmanager
def library_warnings(console: Console) -> Generator[None]:
    """Show on the console what libraries have to say; one such block at a time."""

    def tell(text: str) -> None:
        current = _about.get()
        if current is None:
            console.warn(text)
            return
        file, told = current
        if text not in told:
            told.add(text)
            console.warn(f"{file}: {text.removeprefix(f'{file}: ')}")

    def show(message: Warning | str, *_: object, **__: object) -> None:
        tell(str(message))

    handler = _Handler(tell)
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    stderr = sys.stderr
    with warnings.catch_warnings():
        # by default, the same warning about a second file is not shown
        for category in (UserWarning, RuntimeWarning):
            warnings.filterwarnings("always", category=category, module=_MODULES)
        warnings.showwarning = show
        for logger in loggers:
            logger.addHandler(handler)
        sys.stderr = _Stderr(stderr, tell)
        try:
            yield
        finally:
            sys.stderr = stderr
            for logger in loggers:
                logger.removeHandler(handler)


class _Handler(logging.Handler):
    def __init__(self, tell: Tell) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(record.getMessage())


class _Stderr(io.TextIOBase):
    """Takes the place of `sys.stderr`: what is printed there is told line by line."""

    def __init__(self, stream: TextIO, tell: Tell) -> None:
        self._stream = stream
        self._tell = tell
        self._begun = threading.local()

    def write(self, text: str) -> int:
        *lines, self._begun.text = (getattr(self._begun, "text", "") + text).split("\n")
        for line in lines:
            if line.strip():
                self._tell(line.rstrip())
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()
