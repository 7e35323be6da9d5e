"""A film's facts, and its frames one after another as they are to be seen."""

import contextlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np

from esrgan_torch.errors import FilmReadError
from esrgan_torch.films.colour import Colour, bits_of, colour_of, to_rgb
from esrgan_torch.films.ends import Ends
from esrgan_torch.films.library import open_to_read, pyav, told
from esrgan_torch.films.orientation import Orientation, orientation_of
from esrgan_torch.films.raw import FollowedPipe
from esrgan_torch.films.sizes import check_bytes
from esrgan_torch.images.files import DEFAULT_MAX_PIXELS
from esrgan_torch.images.picture import Pixels

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

_USUAL_RATE = Fraction(25)
_LEFT_OUT = {  # FFmpeg's names of what stands beside a frame
    "MASTERING_DISPLAY_METADATA": "HDR10 description of the mastering display is",
    "CONTENT_LIGHT_LEVEL": "HDR10 levels of brightness are",
    "DYNAMIC_HDR_PLUS": "HDR10+ data are",
    "DOVI_METADATA": "Dolby Vision data are",
    "A53_CC": "closed captions are",
    "SPHERICAL": "mark of a film all around (360 degrees) is",
    "STEREO3D": "mark of a film for two eyes is",
}


@dataclass(frozen=True)
class Film:
    """What a film is.

    Args:
        name: of its file, for messages.
        height, width: of its frames in pixels, as they are to be seen.
        aspect: the width of a pixel divided by its height, as it is to be seen.
        orientation: how frames are turned to be seen.
        time_base: seconds of a tick, in which times are counted.
        rate: frames a second, on average.
        frames: how many there are, by what the file says; None where it does not.
        deep: whether a colour has more than 8 bits.
        chroma: "420", "422" or "444": the resolution of its colours.
        colour: how they are coded.
        notes: what of it will not be in the result, or is odd, sentences for people.
    """

    name: str
    height: int
    width: int
    aspect: Fraction
    orientation: Orientation
    time_base: Fraction
    rate: Fraction
    frames: int | None
    deep: bool
    chroma: str
    colour: Colour
    notes: tuple[str, ...] = ()

    @property
    def step(self) -> int:
        """Ticks between two frames, on average."""
        return max(round(1 / (self.rate * self.time_base)), 1)


@dataclass(frozen=True, eq=False)
class Still:
    """A frame of a film.

    Args:
        pixels: (H, W, 3) uint8, or uint16 where the film is deep; RGB of full range.
        start: when it is shown, in ticks of the film.
        length: how long the file says that it is shown, in ticks.
        repeated: whether its pixels are those of the frame before.
    """

    pixels: Pixels
    start: int
    length: int
    repeated: bool = False


class FilmReader:
    """An open film. Use it as a context manager; its frames are gone through once.

    Args:
        source: a path, or a file that is read from its present place on, a pipe for example.
        name: for messages; None: the path.
        form: FFmpeg's name of the container; None: found out.
        max_pixels: a film with larger frames is refused before any is decoded.

    Attributes:
        film: its facts.
        damaged: frames that the decoder could not make whole, so far.
        short: of a stream that ended before the length which it told in the beginning, a sentence that says
            so, when its frames are gone through. That length may be wrong, and what came cannot come again.

    Raises:
        FilmReadError: missing, damaged, larger, or no film.
        MissingCodecError: PyAV is not installed.
    """

    def __init__(
        self,
        source: Path | BinaryIO,
        name: str | None = None,
        form: str | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> None:
        self._name = str(source) if name is None else name
        self.damaged = 0
        self.short = ""
        # a file in which one can go back is looked through in the end, a pipe while it is read
        self._source = (
            FollowedPipe(source) if not isinstance(source, Path) and not _goes_back(source) else source
        )
        self._began = 0 if isinstance(self._source, Path | FollowedPipe) else self._source.tell()
        try:
            with told(FilmReadError, self._name):
                self._container: InputContainer = open_to_read(self._source, form)
        except FilmReadError:
            self._check_bytes()  # that it is cut off tells more
            raise
        try:
            self._stream = video_stream(self._container, self._name)
            _check_size(self._stream, self._name, max_pixels)
            self._stream.thread_type = "AUTO"
            self._ends = Ends(self._container, self._name)
            self._decoded = self._decode()
            self._first = self._decoded_first()
            self.film = self._facts(self._first)
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Closing again does nothing."""
        self._container.close()

    def stills(self, skip: int = 0) -> Iterator[Still]:
        """The frames in the order of their times, without the first `skip`.

        Raises:
            FilmReadError: it is damaged there, or cut off, or its frames change their size.
        """
        film = self.film
        last: int | None = None
        before: Pixels | None = None
        number = 0
        for frame in self._frames():
            start = frame.pts
            if start is None:
                start = 0 if last is None else last + film.step
            if last is not None and start <= last:  # a damaged file; players show it a moment later
                start = last + 1
            last = start
            number += 1
            if number <= skip:
                continue
            if (frame.height, frame.width) != (self._first.height, self._first.width):
                raise FilmReadError(
                    f"{film.name}: frame {number} is {frame.width} x {frame.height} pixels, and the first "
                    f"was {self._first.width} x {self._first.height}; cut it there"
                )
            pixels = film.orientation(to_rgb(frame, film.colour))
            repeated = before is not None and np.array_equal(before, pixels)
            before = pixels
            yield Still(pixels, start, int(getattr(frame, "duration", 0) or film.step), repeated)
        self._check_end()

    def _check_end(self) -> None:
        """That was all of it, as far as FFmpeg tells."""
        if isinstance(self._source, FollowedPipe):
            self.short = self._ends.short()
            self._source.frames.check(self._name)
        else:
            self._ends.check()
            self._check_bytes()

    def _check_bytes(self) -> None:
        """The file is as long as it says, where one can go back in it."""
        if isinstance(self._source, FollowedPipe):
            return
        with told(FilmReadError, self._name):
            if not isinstance(self._source, Path):
                self._source.seek(self._began)
            check_bytes(self._source, self._name)

    def _decoded_first(self) -> "VideoFrame":
        with told(FilmReadError, self._name):
            first = next(self._decoded, None)
        if first is None:
            self._ends.check()  # of a stream too: nothing came that could be kept
            self._check_end()
            raise FilmReadError(f"{self._name} is a film without a frame")
        return first

    def _frames(self) -> Iterator["VideoFrame"]:
        yield self._first
        with told(FilmReadError, f"{self._name} is damaged"):
            yield from self._decoded

    def _decode(self) -> Iterator["VideoFrame"]:
        for packet in self._container.demux():
            self._ends.see(packet)
            # the last packet of each stream, which asks its decoder for what it still holds, has no number
            if packet.stream.index != self._stream.index:
                continue
            frames: Any = packet.decode()
            for frame in frames:
                self.damaged += bool(frame.is_corrupt)
                yield frame

    def _facts(self, frame: "VideoFrame") -> Film:
        stream, context = self._stream, self._stream.codec_context
        sides: Any = frame.side_data
        matrix = sides.get("DISPLAYMATRIX")
        orientation = orientation_of(None if matrix is None else bytes(matrix))
        height, width = frame.height, frame.width
        aspect = stream.sample_aspect_ratio or Fraction(1)
        if aspect <= 0:
            aspect = Fraction(1)
        if orientation.transposed:
            height, width, aspect = width, height, 1 / aspect
        try:
            colour = colour_of(frame, context.color_primaries, context.color_trc)
        except FilmReadError as error:
            raise FilmReadError(f"{self._name}: {error}") from error
        rate = stream.average_rate or stream.guessed_rate or _USUAL_RATE
        notes: list[str] = []
        if frame.interlaced_frame:
            notes.append(
                "it is interlaced, and its two half pictures are enlarged as one: lines of moving things "
                "come apart; deinterlace it first, for example with: ffmpeg -i IN -vf bwdif OUT.mkv"
            )
        # WebM stores transparency apart, and decoders pass it over
        apart = {key.lower(): text for key, text in stream.metadata.items()}.get("alpha_mode") == "1"
        if apart or any(component.is_alpha for component in frame.format.components):
            notes.append("its transparency is left out")
        notes += [f"its {what} left out" for kind, what in _LEFT_OUT.items() if sides.get(kind) is not None]
        return Film(
            self._name,
            height,
            width,
            Fraction(aspect),
            orientation,
            Fraction(stream.time_base or 1 / rate),
            Fraction(rate),
            _count(stream, self._container, rate),
            bits_of(frame) > 8,
            _chroma(frame),
            colour,
            tuple(notes),
        )


def _goes_back(file: BinaryIO) -> bool:
    """Whether it is more than a pipe; of what is handed over no more than `read` is asked for."""
    seekable = getattr(file, "seekable", None)
    return seekable is not None and bool(seekable())


@contextlib.contextmanager
def opened(path: Path) -> Generator["InputContainer"]:
    """A film's container, for its packets; errors as of `FilmReader`."""
    with told(FilmReadError, str(path)):
        container: InputContainer = open_to_read(path)
    with container:
        yield container


def video_stream(container: "InputContainer", name: str) -> "VideoStream":
    """The stream of the film itself, not a cover.

    Raises:
        FilmReadError: there is none.
    """
    covers = pyav().stream.Disposition.attached_pic
    films = [stream for stream in container.streams.video if not stream.disposition & covers]
    best: Any = container.streams.best("video")
    if not films or best is None:
        raise FilmReadError(f"{name} contains no video{', only a cover picture' * (best is not None)}")
    return best if any(best.index == stream.index for stream in films) else films[0]


def _check_size(stream: "VideoStream", name: str, max_pixels: int) -> None:
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > max_pixels:
        raise FilmReadError(
            f"{name}: its frames have {width} x {height} = {width * height / 1e6:,.1f} million pixels, more "
            f"than the limit of {max_pixels / 1e6:,.0f} million"
        )


def _count(stream: "VideoStream", container: "InputContainer", rate: Fraction) -> int | None:
    if stream.frames:
        return stream.frames
    if stream.duration and stream.time_base:
        return max(round(stream.duration * stream.time_base * rate), 1)
    return max(round(container.duration * rate / 1_000_000), 1) if container.duration else None


def _chroma(frame: "VideoFrame") -> str:
    if frame.format.is_rgb or len(frame.format.components) < 3:
        return "444" if frame.format.is_rgb else "420"
    chroma = frame.format.components[1]
    if chroma.width == frame.width:
        return "444"
    return "422" if chroma.height == frame.height else "420"
