"""One process at a time in a folder. The system lets go of it when the process ends, however it ends."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"  # a file that stays; the lock on it is the system's
PATIENCE = 10.0  # seconds; the worker processes of a killed run hold the folder until they notice


@contextmanager
def alone_in(folder: Path, patience: float | None = None) -> Generator[bool]:
    """Hold a folder against other processes while the block runs.

    Args:
        folder: it must exist.
        patience: seconds to wait for another process; None: `PATIENCE`.

    Yields:
        Whether the folder is held; False where another process has it. True too where the file system knows
        no locks, as some network drives.

    Raises:
        OSError: nothing can be written there.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=PATIENCE if patience is None else patience)
    except Timeout:
        yield False
        return
    except NotImplementedError:
        yield True
        return
    try:
        yield True
    finally:
        lock.release()
