"""Things that go from one thread to another, one at a time and in order."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar, cast

Thing = TypeVar("Thing")


class Handover(Generic[Thing]):
    """Where one thread lays things down and another one takes them.

    The first thing is laid down at once; each later one when the taker is done with the one before. So at
    most two exist: the one that the taker has, or may take, and the one that the giver has made meanwhile.

    Attributes:
        gave, took: seconds that the giver and the taker have waited.
    """

    def __init__(self) -> None:
        self.gave = self.took = 0.0
        self._changed = threading.Condition()
        self._thing: Thing | None = None
        self._there = self._busy = self._ended = self._hung_up = False
        self._error: BaseException | None = None

    def fill(self, things: Callable[[], Iterable[Thing]]) -> None:
        """Give all of them, and then the error that they end with, if any; for the giver's thread."""
        try:
            for thing in things():
                with self._changed:
                    began = time.perf_counter()
                    self._changed.wait_for(lambda: self._hung_up or not (self._there or self._busy))
                    self.gave += time.perf_counter() - began
                    if self._hung_up:
                        break
                    self._thing, self._there = thing, True
                    self._changed.notify_all()
        except BaseException as error:  # whatever it is, it is the taker's to judge
            self.end(error)
        else:
            self.end()

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more comes; what was laid down is still taken, then `error` is raised to the taker."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def taken(self) -> Iterator[Thing]:
        """Things as they come, and what the giver ended with; for the taker's thread."""
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                began = time.perf_counter()
                self._changed.wait_for(lambda: self._there or self._ended)
                self.took += time.perf_counter() - began
                if not self._there:
                    # an error that nobody holds lets go of what its traceback holds
                    error, self._error = self._error, None
                    break
                things, self._thing = [cast(Thing, self._thing)], None
                self._there, self._busy = False, True
            yield things.pop()  # it is not held here
        if error is not None:
            raise error

    def hang_up(self) -> None:
        """Nothing more is taken: the giver ends at its next thing."""
        with self._changed:
            self._hung_up, self._thing = True, None
            self._changed.notify_all()
