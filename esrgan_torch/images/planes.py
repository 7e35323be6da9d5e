"""Colour and alpha of a picture, before and after the network."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.images.picture import Samples
from esrgan_torch.images.resample import imresize


def fitted(large: Samples, height: int, width: int) -> Samples:
    """Of this size, by MATLAB's bicubic interpolation where it has another."""
    if large.shape[:2] == (height, width):
        return large
    return cut_off(imresize(cast(NDArray[Any], large), height, width))


def cut_off(large: Samples) -> Samples:
    """Floats from 0 to 1, which networks and resizing overshoot; whole numbers are cut off already."""
    return large.clip(0, 1, out=large) if large.dtype == np.float32 else large


def split(pixels: Samples) -> tuple[Samples, Samples | None]:
    """Colour (1 or 3 channels) and alpha (1 channel), or None."""
    if pixels.shape[2] in (2, 4):
        return pixels[:, :, :-1], pixels[:, :, -1:]
    return pixels, None


def padded(pixels: Samples, multiple: int) -> Samples:
    """As `esrgan_torch.networks.base.pad_to_multiple`, for (H, W, C)."""
    for axis in (0, 1):
        missing = -pixels.shape[axis] % multiple
        if missing:
            widths = [(0, 0)] * 3
            widths[axis] = (0, missing)
            pixels = np.pad(pixels, widths, mode="reflect" if missing < pixels.shape[axis] else "edge")
    return pixels


def is_flat(pixels: Samples) -> bool:
    """Whether all pixels are the same; one row is mostly enough to see that they are not."""
    return bool((pixels[0] == pixels[0, 0]).all() and (pixels == pixels[0, 0]).all())
