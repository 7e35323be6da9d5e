"""Frames through the network: a repeated one once, several devices at a time, in order."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import SimpleQueue

from esrgan_torch.films.read import Still
from esrgan_torch.images.picture import Picture
from esrgan_torch.upscaled import Upscaled
from esrgan_torch.upscaler import Upscaler

Finish = Callable[[Picture, Picture], Picture]
"""What is done to each result: from it and the original to what is written."""


@dataclass(frozen=True, eq=False)
class Large:
    """A frame of the result.

    Args:
        result: with its picture finished; of a repeated frame, that of the one before.
        start, length: as of the `Still`.
        repeated: whether it was not computed.
    """

    result: Upscaled
    start: int
    length: int
    repeated: bool


class Counter:
    """How many frames are done, told whenever more is. Used from any thread.

    Args:
        tell: called with a number of frames, with the part of those under way.

    Attributes:
        busy: seconds that the devices have computed, together.
    """

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._shares: dict[int, float] = {}
        self._done = 0
        self.busy = 0.0

    def computed(self, seconds: float) -> None:
        """A device has computed for so long."""
        with self._lock:
            self.busy += seconds

    def share(self, number: int, share: float) -> None:
        """So much of the frame of this number is computed."""
        with self._lock:
            self._shares[number] = share
            self._tell(self._done + sum(self._shares.values()))

    def done(self, number: int) -> None:
        """It is."""
        with self._lock:
            self._shares.pop(number, None)
            self._done += 1
            self._tell(self._done + sum(self._shares.values()))


def compute(
    stills: Iterator[Still],
    upscalers: Sequence[Upscaler],
    finish: Finish | None,
    stop: threading.Event,
    counter: Counter,
) -> Iterator[Large]:
    """The results in order. When it is closed, `stop` is set, and frames under way are given up.

    Raises:
        CancelledError: `stop` is set.
        Others: as of `Upscaler.upscale`, and of going through `stills`.
    """
    free: SimpleQueue[Upscaler] = SimpleQueue()
    for upscaler in upscalers:
        free.put(upscaler)

    def one(number: int, still: Still) -> Upscaled:
        upscaler = free.get()
        began = time.perf_counter()
        try:
            picture = Picture(still.pixels)
            result = upscaler.upscale(picture, lambda share: counter.share(number, share), stop)
        finally:
            counter.computed(time.perf_counter() - began)
            free.put(upscaler)
        return result if finish is None else replace(result, picture=finish(result.picture, picture))

    waiting: deque[tuple[int, Still, Future[Upscaled], bool]] = deque()
    last: Future[Upscaled] | None = None

    def first() -> Large:
        number, still, future, repeated = waiting.popleft()
        large = Large(future.result(), still.start, still.length, repeated)
        counter.done(number)
        return large

    with ThreadPoolExecutor(len(upscalers), thread_name_prefix="esrgan-film") as pool:
        try:
            for number, still in enumerate(stills):
                repeated = still.repeated and last is not None
                future = last if repeated and last is not None else pool.submit(one, number, still)
                last = future
                waiting.append((number, still, future, repeated))
                # one more than are computed waits, so that no device does
                if len(waiting) > len(upscalers):
                    yield first()
            while waiting:
                yield first()
        finally:
            stop.set()
            for _, _, future, _ in waiting:
                future.cancel()
