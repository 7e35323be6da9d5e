"""An iterator that works in a thread of its own, a few results ahead of whoever takes them."""

import threading
import time
from collections.abc import Iterator
from typing import Generic, Self, TypeVar

from esrgan_torch.pipeline.handover import Handover

T = TypeVar("T")


class Ahead(Generic[T], Iterator[T]):
    """Goes through `items` in another thread. Use it as a context manager: leaving it ends the thread.

    What `items` raises comes out where the result would have.

    Args:
        items: gone through once, in the other thread, and closed there if it is a generator.
        depth: results that wait at most, beside the one that was taken last.
        stop: set when it is left early, for `items` to end soon.

    Attributes:
        seconds: how long the other thread has worked, when that is over; known then are also
        gave, took: seconds that it has waited for room, and that the taker has waited for results.
    """

    def __init__(self, items: Iterator[T], depth: int, stop: threading.Event | None = None) -> None:
        self.seconds = 0.0
        self._items = items
        self._stop = stop or threading.Event()
        self._results: Handover[T] = Handover(depth + 1)
        self._taken = self._results.taken()
        self._thread = threading.Thread(target=self._work, daemon=True, name="esrgan-ahead")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._results.hang_up()
        self._stop.set()
        self._thread.join()

    def __next__(self) -> T:
        return next(self._taken)

    @property
    def gave(self) -> float:
        return self._results.gave

    @property
    def took(self) -> float:
        return self._results.took

    def _work(self) -> None:
        began = time.perf_counter()
        self._results.fill(lambda: self._items)
        self.seconds = time.perf_counter() - began
