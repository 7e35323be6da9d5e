"""JPEG XL files, by imagecodecs, which hands over pixels alone: size and colours are read here.

(ISO/IEC 18181-1:2024, annexes D and E; 18181-2 for the boxes around it.)
"""

import struct
import warnings
from typing import Any

import numpy as np

from esrgan_torch.errors import ImageReadError
from esrgan_torch.images.colour import profile_of_cicp
from esrgan_torch.images.formats import Coding
from esrgan_torch.images.levels import from_floats
from esrgan_torch.images.optional import codec
from esrgan_torch.images.picture import Picture, Pixels

_NEED = "JPEG XL files"
_CODESTREAM = b"\xff\x0a"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIZES = ((9, 1), (13, 1), (18, 1), (30, 1))
_ENUM = ((0, 0), (0, 1), (4, 2), (6, 18))
_RGB, _GRAY = 0, 1
_WHITES = {1: "D65", 2: "custom", 10: "E", 11: "DCI"}


class JxlFile:
    """A JPEG XL file in memory, its header parsed and its pixels not yet decoded.

    Attributes: height, width; cicp: the numbers of H.273 of its colours, None where they are not known;
    animated: whether it says that it moves.

    Raises:
        ValueError: there is no header.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.cicp: bytes | None = None
        bits = _Bits(_codestream(data))
        self.height, self.width = _size(bits)
        try:
            self.cicp = _colours(bits)
        except _UnknownError as error:
            warnings.warn(
                f"{error}, which imagecodecs does not tell: its colours may be shown wrongly; convert it to "
                "PNG with djxl, to be sure",
                stacklevel=2,
            )
        self.animated = bits.animated

    def picture(self) -> Picture:
        """Decode it; of an animation the first frame, however many there are. The orientation is applied.

        Raises:
            MissingCodecError: imagecodecs is not installed.
            ImageReadError: floats outside 0 to 1.
        """
        array: Any = codec("imagecodecs", _NEED).jpegxl_decode(self._data, index=0)
        if array.dtype.kind == "f":
            array = from_floats(array.astype(np.float32))
        if array.dtype not in (np.uint8, np.uint16):
            raise ImageReadError(f"its pixels are of the type {array.dtype}; convert it to PNG")
        pixels: Pixels = array[:, :, None] if array.ndim == 2 else array
        profile = profile_of_cicp(self.cicp, pixels.shape[2]) if self.cicp is not None else None
        return Picture(pixels, profile)


def encode_jxl(pixels: Pixels, coding: Coding) -> bytes:
    """The whole file, of pixels (H, W, C) in sRGB. Quality is cjxl's: 90 is a Butteraugli distance of 1.

    Raises:
        MissingCodecError: imagecodecs is not installed.
    """
    pixels = np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    quality = coding.quality
    distance = (
        0.1 + (100 - quality) * 0.09 if quality >= 30 else 53 / 3000 * quality**2 - 23 / 20 * quality + 25
    )
    options: dict[str, Any] = {"lossless": True} if coding.lossless else {"distance": min(distance, 25.0)}
    return bytes(codec("imagecodecs", _NEED).jpegxl_encode(pixels, **options))


class _UnknownError(Exception):
    """The header says something that is not parsed here."""


class _Bits:
    """Reads numbers of some bits, the lowest first."""

    def __init__(self, data: bytes) -> None:
        self._number = int.from_bytes(data[:4096], "little")
        self._left = 8 * min(len(data), 4096)
        self.animated = False

    def take(self, count: int) -> int:
        if count > self._left:
            raise ValueError("the file ends in its header")
        value = self._number & ((1 << count) - 1)
        self._number >>= count
        self._left -= count
        return value

    def choose(self, choices: tuple[tuple[int, int], ...]) -> int:
        """U32 of the standard: one of four numbers of bits, each with what is added."""
        count, plus = choices[self.take(2)]
        return self.take(count) + plus


def _codestream(data: bytes) -> bytes:
    """Where the coded picture begins: at once, or in a box."""
    if data.startswith(_CODESTREAM):
        return data[2:]
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, start)
            start += 8
        if kind in (b"jxlc", b"jxlp"):
            start += 4 * (kind == b"jxlp")  # after the number of the part
            if data[start : start + 2] == _CODESTREAM:
                return data[start + 2 : start + 4098]
        if length < 8:
            break
        at += length
    raise ValueError("its header is missing")


def _size(bits: _Bits) -> tuple[int, int]:
    """SizeHeader."""
    small = bits.take(1)

    def side() -> int:
        return (bits.take(5) + 1) * 8 if small else bits.choose(_SIZES)

    height = side()
    ratio = bits.take(3)
    if not ratio:
        return height, side()
    across, down = _RATIOS[ratio - 1]
    return height, height * across // down


def _colours(bits: _Bits) -> bytes | None:
    """ImageMetadata, up to the colours: their numbers of H.273, None for sRGB that nothing is said of."""
    if bits.take(1):
        return None
    if bits.take(1):  # extra fields
        orientation = bits.take(3)
        del orientation  # the decoder applies it
        if bits.take(1):
            _size(bits)
        if bits.take(1):
            raise _UnknownError("it holds a preview")
        if bits.take(1):
            bits.animated = True
            bits.choose(((0, 100), (0, 1000), (10, 1), (30, 1)))
            bits.choose(((0, 1), (0, 1001), (8, 1), (10, 1)))
            bits.choose(((0, 0), (3, 0), (16, 0), (32, 0)))
            bits.take(1)
    _bit_depth(bits)
    bits.take(1)
    for _ in range(bits.choose(((0, 0), (0, 1), (4, 2), (12, 1)))):
        _extra_channel(bits)
    bits.take(1)  # whether it is coded as XYB
    if bits.take(1):
        return None
    if bits.take(1):
        raise _UnknownError("it holds an ICC profile")
    space = bits.choose(_ENUM)
    if space not in (_RGB, _GRAY):
        raise _UnknownError(f"its colour space is number {space}")
    white = bits.choose(_ENUM)
    primaries = bits.choose(_ENUM) if white != 2 and space == _RGB else 1
    if white != 1 or primaries == 2:
        raise _UnknownError(f"its white is {_WHITES.get(white, white)}, its primaries are number {primaries}")
    if bits.take(1):
        raise _UnknownError(f"its curve is a power of {bits.take(24) / 1e7:g}")
    # P3 with this white is Display P3, which H.273 numbers apart
    return bytes((12 if primaries == 11 else primaries, bits.choose(_ENUM), 0, 1))


def _bit_depth(bits: _Bits) -> None:
    if bits.take(1):  # floats
        bits.choose(((0, 32), (0, 16), (0, 24), (6, 1)))
        bits.take(4)
    else:
        bits.choose(((0, 8), (0, 10), (0, 12), (6, 1)))


def _extra_channel(bits: _Bits) -> None:
    """ExtraChannelInfo of alpha; others are not parsed."""
    if bits.take(1):
        return
    kind = bits.choose(_ENUM)
    _bit_depth(bits)
    bits.choose(((0, 0), (0, 3), (0, 4), (3, 1)))
    length = bits.choose(((0, 0), (4, 0), (5, 16), (10, 48)))
    for _ in range(length):
        bits.take(8)
    if kind != 0:
        raise _UnknownError("it holds another channel than alpha")
    if bits.take(1):
        raise ImageReadError("its colours are multiplied by its alpha; convert it to PNG with djxl")
