"""Frames into a file of coded pictures alone: a part of a film, or raw frames."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self, cast

from esrgan_torch.errors import FilmWriteError
from esrgan_torch.films.colour import Colour, from_rgb
from esrgan_torch.films.library import pyav, told, url
from esrgan_torch.images.picture import Pixels

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream


@dataclass(frozen=True)
class Shape:
    """What all frames of a result have in common.

    Args:
        height, width: in pixels.
        aspect: the width of a pixel divided by its height.
        time_base: seconds of a tick.
        rate: frames a second, on average.
        colour: as they are coded.
    """

    height: int
    width: int
    aspect: Fraction
    time_base: Fraction
    rate: Fraction
    colour: Colour


@dataclass(frozen=True)
class Coding:
    """How frames are coded, in FFmpeg's words.

    Args:
        encoder: its name.
        form: the pixel format.
        options: of the encoder.
        container: of the file. NUT keeps times in any unit, and holds what any encoder makes.
        container_options: of that.
    """

    encoder: str
    form: str
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    container: str = "nut"
    container_options: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def multiples(self) -> tuple[int, int]:
        """Of what heights and widths are multiples: chroma may be stored once for two rows, two columns."""
        return 2 if "420" in self.form else 1, 2 if "420" in self.form or "422" in self.form else 1


class Encoder:
    """Codes frames into a file. Use it as a context manager: leaving it without an error ends the file.

    Args:
        target: a path, or an open file for what is written from front to back.
        shape: of the frames.
        coding: how.
        name: of the target, for messages.

    Attributes:
        order: the times of the coded frames, in the order in which they are stored.

    Raises:
        FilmWriteError: the encoder does not take it, or the file cannot be written.
    """

    def __init__(self, target: Path | BinaryIO, shape: Shape, coding: Coding, name: str) -> None:
        self._name, self._shape, self._form = name, shape, coding.form
        self.order: list[int] = []
        os.environ.setdefault(
            "SVT_LOG", "1"
        )  # SVT-AV1 prints its settings otherwise, and has no option for it
        with self._told():
            self._container: OutputContainer = pyav().open(
                url(target) if isinstance(target, Path) else target,
                "w",
                format=coding.container,
                container_options=dict(coding.container_options),
            )
            stream: Any = self._container.add_stream(
                coding.encoder, rate=shape.rate, options=dict(coding.options)
            )
            stream.width, stream.height, stream.pix_fmt = shape.width, shape.height, coding.form
            context = stream.codec_context
            context.time_base = stream.time_base = shape.time_base
            context.sample_aspect_ratio = shape.aspect
            colour = shape.colour
            context.colorspace, context.color_primaries = colour.matrix, colour.primaries
            context.color_trc, context.color_range = colour.transfer, 2 if colour.full else 1
            self._stream: VideoStream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            with suppress(Exception):  # what ended it is what counts
                self._container.close()
            return
        with self._told():
            self._code(None)
            self._container.close()

    def put(self, pixels: Pixels, start: int) -> None:
        """A frame (H, W, 3), uint8 or uint16, shown from the tick `start` on."""
        with self._told():
            frame = from_rgb(pixels, self._shape.colour, self._form)
            frame.pts, frame.time_base = start, self._shape.time_base
            frame.color_primaries, frame.color_trc = self._shape.colour.primaries, self._shape.colour.transfer
            self._code(frame)

    def _code(self, frame: Any) -> None:
        encode = cast(Any, self._stream).encode
        for packet in encode(frame):
            self.order.append(int(packet.pts or 0))
            self._container.mux_one(packet)

    def _told(self) -> Any:
        return told(FilmWriteError, f"cannot write {self._name}")
