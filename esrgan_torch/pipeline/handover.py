"""Things that go from one thread to another in order."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from esrgan_torch.pipeline.changes import Changes

Thing = TypeVar("Thing")

_LOOK = 0.2  # seconds: where a wait without an end would not heed Ctrl-C, as on Windows


class Handover(Generic[Thing]):
    """Where one thread lays things down and another one takes them.

    A thing is laid down when there is room beside those that lie there and the one that the taker has: it is
    done with it when it asks for the next. So at most one more than `room` exist: the giver has made one
    meanwhile.

    Args:
        room: how many things may lie there, and be with the taker, together.

    Attributes:
        gave, took: seconds that the giver and the taker have waited.
    """

    def __init__(self, room: int = 1) -> None:
        self.gave = self.took = 0.0
        self._room = room
        self._changed = Changes()
        self._things: deque[Thing] = deque()
        self._busy = self._ended = self._hung_up = False
        self._error: BaseException | None = None

    def fill(self, things: Callable[[], Iterable[Thing]]) -> None:
        """Give all of them, and then the error that they end with, if any; for the giver's thread.

        They are closed in the end, where they are a generator.
        """
        try:
            given = iter(things())
            try:
                for thing in given:
                    if not self._lay(thing):
                        break
                    del thing  # it is not held here
            finally:
                close = getattr(given, "close", None)
                if close is not None:
                    close()
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
                self.took += self._wait_for(lambda: bool(self._things) or self._ended)
                if not self._things:
                    # an error that nobody holds lets go of what its traceback holds
                    error, self._error = self._error, None
                    break
                things = [self._things.popleft()]
                self._busy = True
            yield things.pop()  # it is not held here
        if error is not None:
            raise error

    def hang_up(self) -> None:
        """Nothing more is taken: the giver ends at its next thing. For the taker's thread, Ctrl-C or not."""
        self._changed.let_go()
        with self._changed:
            self._hung_up = True
            self._things.clear()
            self._changed.notify_all()

    def _lay(self, thing: Thing) -> bool:
        """Whether it was still wanted."""
        with self._changed:
            self.gave += self._wait_for(lambda: self._hung_up or len(self._things) + self._busy < self._room)
            if self._hung_up:
                return False
            self._things.append(thing)
            self._changed.notify_all()
            return True

    def _wait_for(self, ready: Callable[[], bool]) -> float:
        """Seconds that it took."""
        began = time.perf_counter()
        while not ready():
            self._changed.wait(_LOOK)
        return time.perf_counter() - began
