"""RGB of 16 bits from samples of 9 to 16 bits, and back.

FFmpeg's swscale takes white of more than 8 bits for 65280 of 65535, and full range for shifted numbers: up to
four levels of 10 bits too dark. So it only brings chroma to another resolution here, and the matrix is
computed in float32. (ITU-T H.273, 8.3.)
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Words = NDArray[np.uint16]

# Kr and Kb of each matrix
WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
_BAND = 64  # rows that are worked on at once, which fit a cache
_WHITE = np.float32(65535)


def rgb_of(luma: Words, blue: Words, red: Words, matrix: int, bits: int, *, full: bool) -> Words:
    """(H, W, 3) of full range from three planes (H, W) of so many bits."""
    of_red, of_blue = WEIGHTS[matrix]
    of_green = 1 - of_red - of_blue
    black, white, chroma, middle = _levels(bits, full=full)
    pixels = np.empty((*luma.shape, 3), np.uint16)
    for top in range(0, luma.shape[0], _BAND):
        rows = slice(top, top + _BAND)
        y = (luma[rows].astype(np.float32) - black) * np.float32(1 / (white - black))
        u = (blue[rows].astype(np.float32) - middle) * np.float32(1 / chroma)
        v = (red[rows].astype(np.float32) - middle) * np.float32(1 / chroma)
        _store(pixels[rows, :, 0], y + np.float32(2 - 2 * of_red) * v, _WHITE)
        _store(pixels[rows, :, 2], y + np.float32(2 - 2 * of_blue) * u, _WHITE)
        less = np.float32(2 * of_blue * (1 - of_blue) / of_green) * u
        less += np.float32(2 * of_red * (1 - of_red) / of_green) * v
        _store(pixels[rows, :, 1], y - less, _WHITE)
    return pixels


def planes_of(pixels: Words, matrix: int, bits: int, *, full: bool) -> tuple[Words, Words, Words]:
    """Three planes (H, W) of so many bits from (H, W, 3) of full range."""
    of_red, of_blue = WEIGHTS[matrix]
    black, white, chroma, middle = _levels(bits, full=full)
    luma, blue, red = (np.empty(pixels.shape[:2], np.uint16) for _ in range(3))
    most = np.float32((1 << bits) - 1)
    for top in range(0, pixels.shape[0], _BAND):
        rows = slice(top, top + _BAND)
        part = pixels[rows].astype(np.float32) * (1 / _WHITE)
        r, g, b = part[:, :, 0], part[:, :, 1], part[:, :, 2]
        y = np.float32(of_red) * r + np.float32(1 - of_red - of_blue) * g + np.float32(of_blue) * b
        _store(luma[rows], y * (white - black) + black, np.float32(1), most)
        _store(blue[rows], (b - y) * np.float32(chroma / (2 - 2 * of_blue)) + middle, np.float32(1), most)
        _store(red[rows], (r - y) * np.float32(chroma / (2 - 2 * of_red)) + middle, np.float32(1), most)
    return luma, blue, red


def widened(pixels: Words, bits: int) -> Words:
    """Samples of so many bits as 16 bits, white as white."""
    if bits == 16:
        return pixels
    return np.rint(pixels.astype(np.float32) * np.float32(65535 / ((1 << bits) - 1))).astype(np.uint16)


def _levels(bits: int, *, full: bool) -> tuple[np.float32, np.float32, float, np.float32]:
    """Black, white, how far chroma reaches in all, and its middle."""
    step = 1 << (bits - 8)
    if full:
        most = (1 << bits) - 1
        return np.float32(0), np.float32(most), float(most), np.float32(128 * step)
    return np.float32(16 * step), np.float32(235 * step), 224.0 * step, np.float32(128 * step)


def _store(place: Words, values: Floats, scale: np.float32, most: np.float32 = _WHITE) -> None:
    place[...] = np.rint((values * scale).clip(0, most))
