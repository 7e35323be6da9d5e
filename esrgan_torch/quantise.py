"""Values from 0 to 1 as the whole numbers of a picture, and how far two pictures of such are apart."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Planes = NDArray[np.floating[Any]] | NDArray[np.integer[Any]]
Canvas = NDArray[np.uint8 | np.uint16 | np.float32]
CanvasType = np.dtype[np.uint8 | np.uint16 | np.float32]

EIGHT_BITS = np.dtype(np.uint8)


def to_levels(values: Planes, dtype: CanvasType = EIGHT_BITS) -> Canvas:
    """Values in [0, 1], or beyond, of any shape, as whole numbers from 0 to the type's maximum.

    Whole numbers only change their type, and values for a picture of floats stay as they are.
    """
    if values.dtype.kind == "f" and dtype != np.float32:
        values = values.clip(0, 1)
        values *= np.float32(maximum(dtype))
        np.rint(values, out=values)
    return values.astype(dtype, copy=False)


def rounded_levels(values: "Tensor") -> "Tensor":
    """Values in [0, 1], or beyond, as 8-bit levels: whole numbers from 0 to 255 of the same type."""
    return values.clamp(0, 1).mul(255).round()


def decibels(mean_square: float) -> float:
    """PSNR in dB of a mean squared error, of a peak of 255: infinite for none, 0 for no number."""
    if math.isnan(mean_square):
        return 0.0
    return 10 * math.log10(255**2 / mean_square) if mean_square else math.inf


def batch_psnr(values: "Tensor", exact: "Tensor") -> float:
    """PSNR in dB of the 8-bit pictures that two batches in [0, 1] come to, over all channels.

    Infinite where they are equal, 0 where a value is no number.
    """
    return decibels((rounded_levels(values) - rounded_levels(exact)).square().mean().item())


def maximum(dtype: CanvasType) -> float:
    """Of whole numbers of 8 or 16 bits."""
    return 255.0 if dtype == np.uint8 else 65535.0
