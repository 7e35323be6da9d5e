"""An iterator that works in a thread of its own, a few results ahead of whoever takes them."""

import queue
import threading
from collections.abc import Iterator
from typing import Generic, Self, TypeVar

T = TypeVar("T")

_TICK = 0.2  # seconds between two looks whether to stop; Windows hears no Ctrl-C in a wait without an end


class Ahead(Generic[T], Iterator[T]):
    """Goes through `items` in another thread. Use it as a context manager: leaving it ends the thread.

    What `items` raises comes out where the result would have.

    Args:
        items: gone through once, in the other thread, and closed there if it is a generator.
        depth: results that wait at most.
        stop: set when it is left early, for `items` to end soon.
    """

    def __init__(self, items: Iterator[T], depth: int, stop: threading.Event | None = None) -> None:
        self._items = items
        self._stop = stop or threading.Event()
        self._left = threading.Event()
        self._results: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(depth)
        self._thread = threading.Thread(target=self._work, daemon=True, name="esrgan-ahead")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._stop.set()
        self._thread.join()

    def __next__(self) -> T:
        while True:
            try:
                found = self._results.get(timeout=_TICK)
                break
            except queue.Empty:
                continue
        if found is None:
            self._results.put(None)  # for who asks again
            raise StopIteration
        if isinstance(found, BaseException):
            raise found
        return found[0]

    def _work(self) -> None:
        try:
            for item in self._items:
                if not self._put((item,)):
                    break
            else:
                self._put(None)
        except BaseException as error:  # every kind belongs to whoever takes the results
            self._put(error)
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()

    def _put(self, found: tuple[T] | BaseException | None) -> bool:
        while not self._left.is_set():
            try:
                self._results.put(found, timeout=_TICK)
            except queue.Full:
                continue
            return True
        return False
