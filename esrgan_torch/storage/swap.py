"""Two names that swap what they stand for in one step, where the system can."""

import ctypes
import os
import sys
from pathlib import Path

_AT_FDCWD = -100
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux's renameat2, RENAME_SWAP of macOS's renamex_np


def swap(first: Path, second: Path) -> bool:
    """Let each of two names stand for what the other one did; nobody sees a moment in between.

    Returns:
        False where nothing has changed: the system or the file system cannot do that (Windows, network
        drives), the two are on different disks, or one is a place where a disk is mounted.
    """
    names = os.fsencode(first), os.fsencode(second)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            return library.renamex_np(*names, _EXCHANGE) == 0
        return library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _EXCHANGE) == 0
    except (OSError, TypeError, AttributeError):  # Windows has no such library, an old one no such function
        return False
