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
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any, Generic, TypeVar

from esrgan_torch.errors import CancelledError
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


class _Flight:
    """A piece that was let in, and what it hands from step to step."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.piece: Future[AnyPiece | None] = Future()  # None: there was no further one
        self.given: Handover[Any] = Handover()
        self.made: Handover[Any] = Handover()
        self.is_read = False
        self.written: Future[Any] = Future()


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
        self._reading = ThreadPoolExecutor(1, "esrgan-read")
        self._changed = threading.Condition()
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
        set, and what was computed is still written.

        Args:
            pieces: taken one after another in the reader's thread, not before they can be read.

        Raises:
            Whatever `pieces` raises, when the results of all before it are given.
        """
        self._source = iter(pieces)
        self._free_since = [time.perf_counter()] * len(self._free_since)
        with self._writing, self._computing, self._reading:
            try:
                self._let_in()
                while self._wait():
                    yield self._taken_out()
            finally:
                with self._changed:
                    self.stop.set()
        self.times.writing += sum(time.perf_counter() - since for since in self._free_since)
        if isinstance(self._ended, BaseException):
            raise self._ended

    def _ready(self) -> int | None:
        """The number of a flight whose result can be given."""
        numbers = range(min(len(self._flights), 1) if self._in_order else len(self._flights))
        return next((number for number in numbers if self._flights[number].written.done()), None)

    def _wait(self) -> bool:
        """Whether one more is through; False when all are."""
        with self._changed:
            while self._ready() is None:
                if not self._flights and (self._ended or self.stop.is_set()):
                    return False
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
            self._reading.submit(self._read, flight)
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
        try:
            piece, ended = next(self._source, None), True
        except BaseException as error:  # it is for whoever gave the pieces
            piece, ended = None, error
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
            flight.made.end(CancelledError("stopped before it was begun"))
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
