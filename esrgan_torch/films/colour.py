"""What the numbers of a film's frames mean, and their way to RGB and back.

Code points are those of ITU-T H.273, which FFmpeg's numbers are. A film that does not say its matrix is taken
as players take it, by its size; the result is larger, and would be taken otherwise, so it always says what
was taken. Primaries and transfer are carried: networks see the film's own numbers, as they do with pictures.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.errors import FilmReadError
from esrgan_torch.films.deep import planes_of, rgb_of, widened
from esrgan_torch.films.library import pyav
from esrgan_torch.images.picture import Pixels

if TYPE_CHECKING:
    from av import VideoFrame

RGB, BT709, UNKNOWN, BT470BG, BT601, BT2020 = 0, 1, 2, 5, 6, 9
MATRICES = {
    RGB: "RGB",
    BT709: "BT.709",
    4: "FCC",
    BT470BG: "BT.601",
    BT601: "BT.601",
    7: "SMPTE 240M",
    BT2020: "BT.2020",
}
"""The matrices that FFmpeg's swscale computes, with their names."""

_OTHERS = {8: "YCgCo", 10: "BT.2020 with constant luminance", 14: "ICtCp"}
_LIMITED, _FULL = 1, 2
_HD = (1280, 720)  # pixels from which players take BT.709
_PAL = (480, 576)  # lines above which, up to which, a film of standard definition is of 625 lines

# bicubic chroma, one for every pixel on the way; sums are rounded once; the same on all processors
_FLAGS = 4 | 0x2000 | 0x4000 | 0x40000 | 0x80000


@dataclass(frozen=True)
class Colour:
    """How a film codes its colours.

    Args:
        matrix, primaries, transfer: code points; 2: the film does not say.
        full: whether black and white are the least and the greatest number, not 16 and 235 of 8 bits.
    """

    matrix: int
    primaries: int
    transfer: int
    full: bool

    def __str__(self) -> str:
        return f"{MATRICES[self.matrix]}, {'full' if self.full else 'limited'} range"


def colour_of(frame: "VideoFrame", primaries: int, transfer: int) -> Colour:
    """How a decoded frame's colours are coded, its matrix decided where the film does not say.

    Args:
        frame: with its matrix and range.
        primaries, transfer: of the stream.

    Raises:
        FilmReadError: by a matrix that is not converted here.
    """
    rgb = frame.format.is_rgb or frame.format.name == "pal8"
    full = rgb or frame.color_range == _FULL or frame.format.name.startswith("yuvj")
    matrix = RGB if rgb else frame.colorspace
    if not rgb and matrix in (RGB, UNKNOWN, 3):
        matrix = matrix_by_size(frame.height, frame.width)
    if matrix not in MATRICES:
        raise FilmReadError(
            f"its colours are coded as {_OTHERS.get(matrix, f'matrix {matrix} of H.273')}, which is not "
            "converted here; convert it to BT.709 or BT.2020 first"
        )
    return Colour(matrix, primaries, transfer, full)


def matrix_by_size(height: int, width: int) -> int:
    """The matrix that players take where a film does not say it."""
    if width >= _HD[0] or height >= _HD[1]:
        return BT709
    return BT470BG if _PAL[0] < height <= _PAL[1] else BT601


def of_result(colour: Colour, *, rgb: bool) -> Colour:
    """How the result is coded: as its film was; where that is RGB and the codec is not, in BT.709."""
    if rgb:
        return replace(colour, matrix=RGB, full=True)
    return replace(colour, matrix=BT709, full=False) if colour.matrix == RGB else colour


def to_rgb(frame: "VideoFrame", colour: Colour) -> Pixels:
    """The frame's pixels (H, W, 3) as RGB of full range: uint16 where it has more than 8 bits, else uint8."""
    bits = bits_of(frame)
    if colour.matrix != RGB:
        frame.colorspace = colour.matrix
        frame.color_range = _FULL if colour.full else _LIMITED
    if bits <= 8:
        plain: Any = frame.reformat(format="rgb24", interpolation=_FLAGS, dst_color_range=_FULL)
        return plain.to_ndarray()
    if colour.matrix == RGB:
        form = f"gbrp{bits}le"
        planar: Any = frame.reformat(format=form, interpolation=_FLAGS)
        return cast(Pixels, widened(planar.to_ndarray(), bits))
    form = f"yuv444p{bits}le"
    whole = frame if frame.format.name == form else frame.reformat(format=form, interpolation=_FLAGS)
    luma, blue, red = (_words(plane) for plane in whole.planes[:3])
    return cast(Pixels, rgb_of(luma, blue, red, colour.matrix, bits, full=colour.full))


def from_rgb(pixels: Pixels, colour: Colour, form: str) -> "VideoFrame":
    """A frame in the pixel format `form` from RGB (H, W, 3) of full range, uint8 or uint16."""
    av = pyav()
    deep, rgb = pixels.dtype.itemsize == 2, colour.matrix == RGB
    range_ = _FULL if colour.full else _LIMITED
    if deep and rgb:
        return av.VideoFrame.from_ndarray(pixels, format=form)
    if deep:
        bits = av.VideoFormat(form).components[0].bits
        whole = av.VideoFrame(pixels.shape[1], pixels.shape[0], f"yuv444p{bits}le")
        for plane, values in zip(
            whole.planes,
            planes_of(cast(NDArray[np.uint16], pixels), colour.matrix, bits, full=colour.full),
            strict=True,
        ):
            _put(plane, values)
        whole.color_range = range_
    else:
        whole = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    # the matrix of the frame to make is taken from the given one; its own, RGB's, is known
    whole.colorspace = colour.matrix
    made = whole.reformat(format=form, interpolation=_FLAGS, dst_color_range=range_)
    made.colorspace = colour.matrix  # PyAV calls both kinds of BT.601 by one name
    return made


def bits_of(frame: "VideoFrame") -> int:
    """Of a colour of a pixel."""
    bits = max(component.bits for component in frame.format.components)
    return bits if bits <= 8 else next(known for known in (9, 10, 12, 14, 16) if known >= min(bits, 16))


def _words(plane: Any) -> NDArray[np.uint16]:
    """A plane's samples, without what fills its rows up."""
    rows = np.frombuffer(plane, np.uint16).reshape(plane.height, plane.line_size // 2)
    return rows[:, : plane.width]


def _put(plane: Any, values: NDArray[np.uint16]) -> None:
    rows = np.zeros((plane.height, plane.line_size // 2), np.uint16)
    rows[:, : plane.width] = values
    plane.update(rows)
