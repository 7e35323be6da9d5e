"""Libraries that greet: what they print while they start does not reach the terminal."""

import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def quiet_stderr() -> Generator[None]:
    """Keep what is printed to stderr, by libraries in C too; show it where the block raises."""
    _flush()
    try:
        terminal = os.dup(2)
    except OSError:  # closed: nothing reaches anybody anyway
        yield
        return
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
        except BaseException:
            _restore(terminal)
            log.seek(0)
            with open(2, "wb", buffering=0, closefd=False) as stderr:
                shutil.copyfileobj(log, stderr)
            raise
        _restore(terminal)


def _flush() -> None:
    stream: TextIO | None = sys.stderr  # None where it was closed before Python started
    if stream is not None:
        stream.flush()


def _restore(terminal: int) -> None:
    _flush()
    os.dup2(terminal, 2)
    os.close(terminal)
