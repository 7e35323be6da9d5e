"""One way through a film's frames: read, computed and written in three threads."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Self

from esrgan_torch.errors import CancelledError, ConfigError
from esrgan_torch.films.codecs import FilmCoding
from esrgan_torch.films.colour import matrix_by_size, of_result
from esrgan_torch.films.compute import Counter, Finish, Large, compute
from esrgan_torch.films.encode import Coding, Encoder, Shape
from esrgan_torch.films.read import FilmReader
from esrgan_torch.images.picture import Picture
from esrgan_torch.pipeline.ahead import Ahead
from esrgan_torch.pipeline.stages import Times
from esrgan_torch.upscaled import Upscaled
from esrgan_torch.upscaler import Upscaler
from esrgan_torch.watch import Flag

_READ_AHEAD = 4
_WRITE_BEHIND = 2


@dataclass(frozen=True)
class FilmProgress:
    """How far a film is.

    Args:
        done: frames of the result, with parts of those under way, and those that were kept.
        frames: how many there will be, as far as is known.
        kept: how many an earlier run had made.
    """

    done: float
    frames: int | None
    kept: int


@dataclass(frozen=True)
class Work:
    """What is to be done to a film's frames.

    Args:
        upscalers: one for each device; all of one network.
        coding: how the result is written.
        raw: whether as raw frames, which have a rate and no times.
        finish: what is done to each result before it is written.
        frames: how many there are, as far as is known.
    """

    upscalers: Sequence[Upscaler]
    coding: FilmCoding
    raw: bool
    finish: Finish | None
    frames: int | None


class Run:
    """Gives the results of a film and writes them. Use it as a context manager.

    Args:
        reader: the film, of which no frame was taken yet.
        work: what is to be done.
        kept: how many frames an earlier run had made.
        progress: called often, from any thread.
        cancel: set to stop.
        alive: called often.

    Attributes:
        shape: of the results, once the first was written.
        first: how the first result came about, with the sums over all of them.
        repeated: how many were not computed.
        cut: what was cut off, a sentence, or nothing.
    """

    def __init__(
        self,
        reader: FilmReader,
        work: Work,
        kept: int,
        progress: Callable[[FilmProgress], None] | None,
        cancel: Flag | None,
        alive: Callable[[], None],
    ) -> None:
        self.shape: Shape | None = None
        self.first: Upscaled | None = None
        self.repeated = 0
        self.cut = ""
        self._reader, self._work, self._kept = reader, work, kept
        self._progress, self._cancel, self._alive = progress, cancel, alive
        self._stop = threading.Event()
        self._stack = ExitStack()
        self._counter = Counter(self._tell)

    def __enter__(self) -> Self:
        work = self._work
        with ExitStack() as begun:  # Ctrl-C may come between the two
            self._stills = begun.enter_context(Ahead(self._reader.stills(self._kept), _READ_AHEAD))
            results = compute(self._stills, work.upscalers, work.finish, self._stop, self._counter)
            self._results = begun.enter_context(Ahead(results, _WRITE_BEHIND, self._stop))
            self._stack = begun.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def times(self) -> Times:
        """What the devices did, when the last frame is written.

        They compute while the thread that hands frames out waits for one to come or to be taken: what it
        waited for tells what they waited for, not how long.
        """
        reading, writing = self._stills.took, self._results.gave
        whole = self._results.seconds * len(self._work.upscalers)
        busy = min(self._counter.busy, whole)
        share = reading / (reading + writing) if reading + writing > 0 else 1.0
        return Times(busy, (whole - busy) * share, (whole - busy) * (1 - share))

    def take(self, most: int | None) -> Iterator[Large] | None:
        """The next frames, at most so many; None after the last one."""
        first = self._next()
        if first is None:
            return None

        def chunk() -> Iterator[Large]:
            yield first
            taken = 1
            while most is None or taken < most:
                large = self._next()
                if large is None:
                    return
                taken += 1
                yield large

        return chunk()

    def _next(self) -> Large | None:
        if self._cancel is not None and self._cancel.is_set():
            raise CancelledError("the film was cancelled: its `cancel` is set")
        return next(self._results, None)

    def write(self, chunk: Iterator[Large], place: Path | BinaryIO, name: str) -> tuple[list[int], int]:
        """Code frames into a file; their times in the order of storage, and the length of the last one."""
        first = next(chunk)
        coding = self._work.coding.coding
        if self.shape is None:
            self.shape = self._shape_of(first.result.picture, coding)
        length = first.length
        encoder = Encoder(place, self.shape, coding, name)
        with encoder:
            self._put(encoder, first)
            for large in chunk:
                length = large.length
                self._put(encoder, large)
        return encoder.order, length

    def _put(self, encoder: Encoder, large: Large) -> None:
        self._alive()
        self._note(large)
        assert self.shape is not None
        start = len(encoder.order) if self._work.raw else large.start
        encoder.put(large.result.picture.pixels[: self.shape.height, : self.shape.width], start)

    def _shape_of(self, picture: Picture, coding: Coding) -> Shape:
        """Of the result: where chroma asks for even sides, a last odd row or column is cut off."""
        film = self._reader.film
        down, across = coding.multiples
        height, width = picture.height // down * down, picture.width // across * across
        if not height or not width:
            raise ConfigError(
                f"{film.name}: a result of {picture.width} x {picture.height} pixels cannot be "
                f"written as a film"
            )
        if (height, width) != (picture.height, picture.width):
            self.cut = (
                f"the result is {width} x {height} pixels instead of {picture.width} x {picture.height}: "
                f"{coding.form} has even sides; --codec ffv1 has any"
            )
        colour = of_result(film.colour, rgb=self._work.coding.codec.rgb)
        if self._work.raw:  # which do not say it: whoever reads them takes it by their size
            colour = replace(colour, matrix=matrix_by_size(height, width))
        # raw frames have a rate and no times
        base = 1 / film.rate if self._work.raw else film.time_base
        return Shape(height, width, film.aspect, base, film.rate, colour)

    def _note(self, large: Large) -> None:
        self.repeated += large.repeated
        if self.first is None:
            self.first = large.result
        elif not large.repeated:
            self.first = self.first.joined(large.result)

    def _tell(self, done: float) -> None:
        self._alive()
        if self._progress is not None:
            self._progress(FilmProgress(self._kept + done, self._work.frames, self._kept))
