"""What people and programs see: results on stdout; a line a file, warnings and a bar on stderr."""

import logging
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self, TextIO

from tqdm import tqdm

BAR = "{percentage:3.0f}% |{bar}| {n:.1f} of {total} files, {elapsed} gone, {remaining} to go"


class Console:
    """Writes lines without tearing the progress bar, from any thread.

    The bar is drawn on a terminal only; in a log it would be noise.

    Args:
        files: how many files the bar stands for.
    """

    def __init__(self, files: int) -> None:
        self._lock = threading.Lock()
        self._shares: dict[Path, float] = {}
        self._bar: tqdm[NoReturn] | None = None
        if files and sys.stderr.isatty():
            self._bar = tqdm(total=files, file=sys.stderr, bar_format=BAR, leave=False, dynamic_ncols=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            if self._bar is not None:
                self._bar.close()
                self._bar = None

    def result(self, path: Path) -> None:
        """A path that was made, on stdout, for programs."""
        self._write(str(path), sys.stdout)

    def say(self, text: str) -> None:
        """A line on stderr."""
        self._write(text, sys.stderr)

    def warn(self, text: str) -> None:
        """A line on stderr that should not be overlooked."""
        self._write(f"esrgan: warning: {text}", sys.stderr)

    def progress(self, file: Path, share: float) -> None:
        """`share` of `file`, 0 to 1, is done."""
        with self._lock:
            before = self._shares.get(file, 0.0)
            self._shares[file] = max(share, before)
            if self._bar is not None:
                self._bar.update(self._shares[file] - before)

    def _write(self, text: str, stream: TextIO) -> None:
        with self._lock:
            if self._bar is None:
                print(text, file=stream, flush=True)
            else:
                with tqdm.external_write_mode(file=stream):
                    print(text, file=stream, flush=True)


@contextmanager
def library_warnings(console: Console) -> Generator[None]:
    """Show what `esrgan_torch` logs as warnings, such as a tile that was divided."""
    handler = _Handler(console)
    logger = logging.getLogger("esrgan_torch")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Handler(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.warn(record.getMessage())
