"""Element-wise work on the host's memory, by NumPy in threads that sleep when they have nothing to do.

PyTorch's wait busily for some milliseconds after each operation, and take that time from OpenVINO's threads,
which compute the next picture or tile.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

from esrgan_torch.engines.devices import threads

LEAST = 2**17  # values for a thread: handing over fewer takes longer than computing them


def for_rows(work: Callable[[slice], object], rows: int, values: int) -> None:
    """Call `work` with parts of `range(rows)`, on as many threads as PyTorch would take, and wait for all.

    Args:
        work: does the rows of a slice, in NumPy, which leaves other Python threads running meanwhile.
        rows: at least 1.
        values: how many are computed altogether.

    Raises:
        Exception: what `work` raised.
    """
    most = threads()
    parts = max(min(most, rows, values // LEAST), 1)
    if parts == 1:
        work(slice(0, rows))
        return
    edges = [rows * part // parts for part in range(parts + 1)]
    list(_pool(most, os.getpid()).map(work, (slice(*edge) for edge in pairwise(edges))))


@cache
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """Kept for as long as the process runs; a forked process has none of its parent's threads."""
    return ThreadPoolExecutor(threads, f"esrgan-torch-{process}")
