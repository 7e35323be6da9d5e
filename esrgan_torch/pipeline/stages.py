"""Pieces of work that are read, computed and written beside one another.

While one piece is computed, the next one is read and the one before written, each in a thread of its own:
decoders and encoders let other threads of Python run. Within a piece that has several parts, as an animation
has frames, it is the same. What is in flight is bounded by its number and by its bytes.
"""

import queue
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Generic, TypeVar

from esrgan_torch.errors import CancelledError
from esrgan_torch.pipeline.changes import Changes
from esrgan_torch.pipeline.handover import Handover

Given = TypeVar("Given")
Made = TypeVar("Made")
Result = TypeVar("Result", covariant=True)

_LOOK = 1.0  # seconds: where a wait without an end would not heed Ctrl-C, as on Windows


class Piece(ABC, Generic[Given, Made, Result]):
    """One piece of work. Its three steps run in three threads, at the same time.

    Attributes:
        weight: bytes that it takes while it is in flight; to be known when the first part is given.
    """

    weight: int = 0

    @abstractmethod
    def read(self) -> Iterator[Given]:
        """The parts, as they are read."""

    @abstractmethod
    def compute(self, given: Iterator[Given], lane: int) -> Iterator[Made]:
        """What is made of each part; `lane` says by which of several devices."""

    @abstractmethod
    def write(self, made: Iterator[Made]) -> Result:
        """What becomes of all that. An error of the steps before is raised by `made`."""


AnyPiece = Piece[Any, Any, Any]


def begun(things: Iterator[Made]) -> Iterator[Made]:
    """The same, when the first of them is there: what the steps before have found out is known then."""
    for first in things:
        return chain((first,), things)
    return iter(())


@dataclass
class Times:
    """What the lanes did, in seconds; of several lanes, the sum.

    Args:
        busy: computed.
        reading: waited for what is read.
        writing: waited for what is written: for room, and in the end for the last piece.
    """

    busy: float = 0.0
    reading: float = 0.0
    writing: float = 0.0

    @property
    def total(self) -> float:
        return self.busy + self.reading + self.writing

    def plus(self, other: "Times") -> "Times":
        """Both together."""
        return Times(self.busy + other.busy, self.reading + other.reading, self.writing + other.writing)


class _Flight:
    """A piece that was let in, and what it hands from step to step."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.piece: Future[AnyPiece | None] = Future()  # None: there was no further one
        self.given: Handover[Any] = Handover()
        self.made: Handover[Any] = Handover()
        self.is_read = False
        self.written: Future[Any] = Future()


class _ReadingThread:
    """Does what it is given, one after the other.

    A program ends without it: what it does may wait for an iterator of somebody else's for ever.
    """

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, task: Callable[[], None]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True, name="esrgan-read")
            self._thread.start()
        self._tasks.put(task)

    def close(self, *, wait: bool) -> None:
        self._tasks.put(None)
        if wait and self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
            del task  # what it did is not held here


class Stages:
    """Carries pieces through their three steps, once.

    Args:
        limit: bytes in flight, by the weights of the pieces, above which no other one is read; so one piece
            may be beyond it.
        lanes: how many are computed at once.
        writers: how many are written at once.
        in_order: give results in the order of the pieces; those not yet given count as in flight.
        stop: set by `run` when it is left early, or by anybody to end it; the steps of pieces should heed it.

    Attributes:
        times: what the lanes have done; whole when `run` is through.
    """

    def __init__(
        self,
        limit: int,
        lanes: int = 1,
        writers: int = 1,
        *,
        in_order: bool = False,
        stop: threading.Event | None = None,
    ) -> None:
        self.times = Times()
        self.stop = threading.Event() if stop is None else stop
        self._limit, self._most, self._in_order = limit, lanes + writers + 2, in_order
        self._writing = ThreadPoolExecutor(writers, "esrgan-write")
        self._computing = ThreadPoolExecutor(lanes, "esrgan-compute")
        self._reading = _ReadingThread()
        self._asking = False  # the source, for its next piece
        self._changed = Changes()
        self._flights: deque[_Flight] = deque()
        self._source: Iterator[AnyPiece] = iter(())
        self._ended: BaseException | bool = False  # whether no further piece comes, or why
        self._lanes: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._free_since = [0.0] * lanes
        for lane in range(lanes):
            self._lanes.put(lane)

    def run(self, pieces: Iterable[Piece[Any, Any, Result]]) -> Generator[Future[Result], None, None]:
        """The result, or the error, of the `write` of each piece when it is through.

        Work goes on while the caller has a result. Where the caller leaves early, as by Ctrl-C, `stop` is
        set, and what was computed is still written. All threads have ended then but one that still waits for
        the next piece: it ends when that comes, and the piece is passed over.

        Args:
            pieces: taken one after another in the reader's thread, not before they can be read.

        Raises:
            Whatever `pieces` raises, when the results of all before it are given.
        """
        self._source = iter(pieces)
        self._free_since = [time.perf_counter()] * len(self._free_since)
        with self._writing, self._computing:
            try:
                self._let_in()
                while self._wait():
                    yield self._taken_out()
            finally:
                self._changed.let_go()
                with self._changed:
                    self.stop.set()
                    for flight in self._flights:
                        if not flight.piece.done():
                            flight.piece.set_result(None)
                    waits = self._asking
                self._reading.close(wait=not waits)
        self.times.writing += sum(time.perf_counter() - since for since in self._free_since)
        if isinstance(self._ended, BaseException):
            raise self._ended

    def give_up(self) -> None:
        """Set `stop`, and let who waits for a result know at once; for any thread."""
        with self._changed:
            self.stop.set()
            self._changed.notify_all()

    def _ready(self) -> int | None:
        """The number of a flight whose result can be given."""
        numbers = range(min(len(self._flights), 1) if self._in_order else len(self._flights))
        return next((number for number in numbers if self._flights[number].written.done()), None)

    def _wait(self) -> bool:
        """Whether one more is through; False when all are."""
        with self._changed:
            while self._ready() is None:
                stopped = self.stop.is_set()
                if not self._flights and (self._ended or stopped):
                    return False
                if stopped and not any(flight.piece.done() for flight in self._flights):
                    return False  # no piece has come that was let in, and the next one may never come
                self._changed.wait(_LOOK)
        return True

    def _taken_out(self) -> Future[Any]:
        with self._changed:
            number = self._ready()
            assert number is not None
            written = self._flights[number].written
            del self._flights[number]
        self._let_in()
        return written

    def _let_in(self) -> None:
        """One more piece, where there is room for it; called whenever there may be."""
        with self._changed:
            if self._ended or self.stop.is_set() or not self._has_room():
                return
            flight = _Flight()
            self._flights.append(flight)
            self._reading.submit(partial(self._read, flight))
            self._computing.submit(self._compute, flight)
            self._writing.submit(self._write, flight)

    def _has_room(self) -> bool:
        # what is through leaves no pixels, where its result is not kept for its turn
        flights = [each for each in self._flights if self._in_order or not each.written.done()]
        if any(not flight.is_read for flight in flights) or len(flights) >= self._most:
            return False
        weights = [piece.weight for flight in flights if (piece := flight.piece.result()) is not None]
        return not weights or sum(weights) <= self._limit

    def _read(self, flight: _Flight) -> None:
        piece: AnyPiece | None = None
        ended: BaseException | bool = True
        with self._changed:
            self._asking = asking = not self.stop.is_set()
        try:
            if asking:
                piece = next(self._source, None)
        except BaseException as error:  # it is for whoever gave the pieces
            ended = error
        with self._changed:
            self._asking = False
            if flight.piece.done():  # given up meanwhile
                return
            flight.piece.set_result(piece)
        if piece is not None:
            flight.given.fill(piece.read)
        with self._changed:
            flight.is_read = True
            if piece is None:
                self._ended = ended
                self._flights.remove(flight)
            self._changed.notify_all()
        self._let_in()

    def _compute(self, flight: _Flight) -> None:
        piece = flight.piece.result()
        if piece is None:
            return
        lane = self._lanes.get()
        began, idle_since = time.perf_counter(), self._free_since[lane]
        if self.stop.is_set():
            flight.made.end(CancelledError("stopped before it started"))
        else:
            flight.made.fill(lambda: piece.compute(flight.given.taken(), lane))
        flight.given.hang_up()
        ended = time.perf_counter()
        # until it was let in, there was no room for it
        without_room = min(max(flight.began - idle_since, 0.0), began - idle_since)
        with self._changed:
            self.times.busy += ended - began - flight.given.took - flight.made.gave
            self.times.reading += began - idle_since - without_room + flight.given.took
            self.times.writing += without_room + flight.made.gave
        self._free_since[lane] = ended
        self._lanes.put(lane)

    def _write(self, flight: _Flight) -> None:
        piece = flight.piece.result()
        if piece is None:
            return
        try:
            flight.written.set_result(piece.write(flight.made.taken()))
        except BaseException as error:
            flight.written.set_exception(error)
        flight.made.hang_up()
        with self._changed:
            self._changed.notify_all()
        self._let_in()
