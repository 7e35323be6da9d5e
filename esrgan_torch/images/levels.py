"""Numbers as files say them: floats whose white is 1 as 16 bits, and densities that mean something."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.errors import ImageReadError
from esrgan_torch.images.kinds import BEYOND_WHITE
from esrgan_torch.images.picture import Pixels
from esrgan_torch.quantise import to_levels


def from_floats(values: NDArray[Any]) -> Pixels:
    """Floats from 0 (black) to 1 (white) as 16 bits, rounded to the nearest.

    Raises:
        ImageReadError: values outside, or that are no numbers.
    """
    low, high = float(values.min()), float(values.max())
    if not np.isfinite((low, high)).all():
        raise ImageReadError("it contains infinite values or NaN; replace them first")
    if low >= 0 and 1 < high <= 255:
        raise ImageReadError(
            f"its floats go up to {high:g}, and white is 1; divide them by 255, if that is their white: "
            "magick IN -depth 16 OUT.tif reads them so. Where they are light, it " + BEYOND_WHITE
        )
    if low < 0 or high > 1:
        raise ImageReadError(f"its floats go from {low:g} to {high:g}, not from 0 to 1: it {BEYOND_WHITE}")
    pixels = np.empty(values.shape, np.uint16)
    for row, line in enumerate(values):  # in float64, which takes eight bytes a number
        pixels[row] = to_levels(line.astype(np.float64), np.dtype(np.uint16))
    return pixels


def density_of(across: float, down: float) -> tuple[float, float] | None:
    """Pixels an inch, to a tenth; None for 0, next to nothing or no number, by which files mean "unknown"."""
    if not (math.isfinite(across) and math.isfinite(down)):
        return None
    across, down = round(across, 1), round(down, 1)
    return (across, down) if across > 0 and down > 0 else None
