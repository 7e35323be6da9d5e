"""How a film's frames lie: the display matrix of its container, applied to pixels."""

import struct
from dataclasses import dataclass

import numpy as np

from esrgan_torch.images.picture import Pixels


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways in which a frame can be shown: perhaps transposed, then perhaps mirrored.

    Args:
        transposed: rows become columns.
        upside_down, mirrored: then the order of the rows, and of the columns, is reversed.
    """

    transposed: bool = False
    upside_down: bool = False
    mirrored: bool = False

    def __call__(self, pixels: Pixels) -> Pixels:
        """Pixels (H, W, C) as they are to be seen."""
        if self.transposed:
            pixels = pixels.transpose(1, 0, 2)
        if self.upside_down:
            pixels = pixels[::-1]
        if self.mirrored:
            pixels = pixels[:, ::-1]
        return np.ascontiguousarray(pixels)


def orientation_of(matrix: bytes | None) -> Orientation:
    """Of a display matrix, nine numbers of 32 bits; the nearest of the eight where it turns otherwise.

    A point (x, y) of the frame is shown at (a x + c y, b x + d y), of the matrix a b u c d v x y w.
    (ISO/IEC 14496-12, 8.3.2.)
    """
    if matrix is None or len(matrix) < 36:
        return Orientation()
    a, b, _, c, d = struct.unpack_from("=5i", matrix)
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, b < 0, c < 0)
    return Orientation(False, d < 0, a < 0)
