"""Animated PNG files: frames laid over one another when read, whole pictures when written.

(PNG Specification, Third Edition, W3C 2025, sections 11.3.6 and 12.10.)
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from esrgan_torch.errors import ConfigError
from esrgan_torch.images.picture import Frame, Picture, Pixels
from esrgan_torch.images.png import (
    HEADER_END,
    SIGNATURE,
    PngFile,
    chunk,
    coded_metadata,
    encode_pixels,
    read_chunks,
)

_CONTROL = ">5I2H2B"  # fcTL: sequence, width, height, x, y, delay as a fraction, disposal, blending
_KEEP, _CLEAR, _RESTORE = 0, 1, 2  # what becomes of a frame's area before the next
_OVER = 1  # laid over what is there; 0 takes its place


@dataclass
class _Stored:
    """One frame as it is stored: a rectangle, what to do with it, and its coded pixels."""

    width: int
    height: int
    left: int
    top: int
    seconds: float
    disposal: int
    blending: int
    coded: list[bytes | memoryview] = field(default_factory=list[bytes | memoryview])


class Apng:
    """The animation in a PNG file, if it says that it is one. What programs without animation show
    is not part of it, unless the first frame says so.

    Attributes: count; plays (0 for ever); still (whether there is nothing beyond the file's own picture).

    Raises:
        ValueError: a frame lies outside the picture.
    """

    def __init__(self, file: PngFile) -> None:
        self._file = file
        self._frames: list[_Stored] = []
        self.plays = 0
        animated = hidden = False
        for name, payload in file.chunks:
            if name == b"acTL":
                animated = True
                (self.plays,) = struct.unpack_from(">I", payload, 4)
            elif name == b"fcTL":
                self._frames.append(self._stored(payload))
            elif name == b"IDAT":
                if self._frames:
                    self._frames[-1].coded.append(payload)
                hidden = not self._frames
            elif name == b"fdAT" and self._frames:
                self._frames[-1].coded.append(payload[4:])  # after its place in the sequence
        self._frames = [frame for frame in self._frames if animated and frame.coded]
        self.count = len(self._frames)
        self.still = self.count == 0 or (self.count == 1 and not hidden)

    def _stored(self, payload: bytes | memoryview) -> _Stored:
        _, width, height, left, top, part, whole, disposal, blending = struct.unpack(_CONTROL, payload)
        file = self._file
        if width < 1 or height < 1 or left + width > file.width or top + height > file.height:
            raise ValueError(f"a frame of {width} x {height} at {left}, {top} lies outside the picture")
        return _Stored(width, height, left, top, part / (whole or 100), disposal, blending)

    def frames(self) -> Iterator[tuple[Pixels, float]]:
        """Whole frames (H, W, C) with alpha, and their seconds."""
        file = self._file
        canvas: Pixels | None = None
        for frame in self._frames:
            header = struct.pack(">II", frame.width, frame.height) + file.header[8:]
            pixels = _with_alpha(file.decode(header, frame.coded))
            if canvas is None:
                canvas = np.zeros((file.height, file.width, pixels.shape[2]), pixels.dtype)
            before = canvas.copy() if frame.disposal == _RESTORE else None
            area = canvas[frame.top : frame.top + frame.height, frame.left : frame.left + frame.width]
            area[:] = _laid_over(area, pixels) if frame.blending == _OVER else pixels
            yield canvas.copy(), frame.seconds
            if before is not None:
                canvas = before
            elif frame.disposal == _CLEAR:
                area[:] = 0


def encode_apng(frames: Iterable[Frame], plays: int, bare: bool = False) -> tuple[bytes, int]:
    """The whole file and the number of its frames: pictures of one size, depth and number of channels.

    Of each frame, the smallest rectangle that changed is stored. One frame alone is a plain PNG file.

    Args:
        plays: how many times it is played, 0 for ever.
        bare: leave the metadata out.

    Raises:
        ConfigError: the frames differ in kind, or there are none.
        MissingCodecError: 16 bits, and imagecodecs is not installed.
    """
    first: Picture | None = None
    before: Pixels | None = None
    head, parts, count, sequence = b"", list[bytes](), 0, 0
    for frame in frames:
        pixels = frame.picture.pixels
        if first is None or before is None:
            first, before = frame.picture, pixels
            top, left, area = 0, 0, pixels
        else:
            check_alike(first, frame.picture)
            top, left, area = changed(before, pixels)
            before = pixels
        data = encode_pixels(area)
        head = head or data[len(SIGNATURE) : HEADER_END]
        delay = _fraction(frame.seconds or 0.0)
        place = (area.shape[1], area.shape[0], left, top)
        parts.append(chunk(b"fcTL", struct.pack(_CONTROL, sequence, *place, *delay, _KEEP, 0)))
        sequence += 1
        for name, payload in read_chunks(data):
            if name != b"IDAT":
                continue
            if count == 0:
                parts.append(chunk(b"IDAT", payload))
            else:
                parts.append(chunk(b"fdAT", b"".join((struct.pack(">I", sequence), payload))))
                sequence += 1
        count += 1
    if first is None:
        raise ConfigError("there are no frames to write")
    if count == 1:
        parts = parts[1:]
    else:
        parts.insert(0, chunk(b"acTL", struct.pack(">II", count, plays)))
    metadata = b"" if bare else coded_metadata(first)
    return b"".join((SIGNATURE, head, metadata, *parts, chunk(b"IEND", b""))), count


def check_alike(first: Picture, other: Picture) -> None:
    """ConfigError unless two frames have the same size, depth and number of channels."""
    if other.pixels.shape != first.pixels.shape or other.bits != first.bits:
        raise ConfigError(
            "all frames of an animation have one size and kind of pixels; the first is "
            f"{first.pixels.shape} of {first.bits} bits, another {other.pixels.shape} of {other.bits}"
        )


def changed(before: Pixels, after: Pixels) -> tuple[int, int, Pixels]:
    """Top, left and pixels of the smallest rectangle that holds every change; one pixel if there is none."""
    changes = (before != after).any(axis=2)
    rows, columns = np.flatnonzero(changes.any(axis=1)), np.flatnonzero(changes.any(axis=0))
    if rows.size == 0:
        return 0, 0, after[:1, :1]
    top, left = int(rows[0]), int(columns[0])
    return top, left, after[top : rows[-1] + 1, left : columns[-1] + 1]


def _fraction(seconds: float) -> tuple[int, int]:
    """A delay as numerator and denominator of 16 bits each: in milliseconds, if they fit."""
    for parts in (1000, 100, 1):
        if round(seconds * parts) < 1 << 16:
            return round(seconds * parts), parts
    return (1 << 16) - 1, 1


def _with_alpha(pixels: Pixels) -> Pixels:
    if pixels.shape[2] in (2, 4):
        return pixels
    opaque = np.full((*pixels.shape[:2], 1), np.iinfo(pixels.dtype).max, pixels.dtype)
    return np.concatenate([pixels, opaque], axis=2)


def _laid_over(below: Pixels, above: Pixels) -> Pixels:
    """`above` over `below`, both with straight alpha in the last channel."""
    maximum = np.iinfo(below.dtype).max
    over = above[:, :, -1:].astype(np.float64) / maximum
    under = below[:, :, -1:].astype(np.float64) / maximum * (1 - over)
    alpha = over + under
    colour = (above[:, :, :-1] * over + below[:, :, :-1] * under) / np.where(alpha > 0, alpha, 1)
    return np.rint(np.concatenate([colour, alpha * maximum], axis=2)).astype(below.dtype)
