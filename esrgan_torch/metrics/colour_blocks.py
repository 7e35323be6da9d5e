"""Colour that an enlargement leaves in blocks: steps at the borders of what was one pixel.

A network for which the skip repeats pixels, and which learnt luma alone, is fine in luma and leaves colour as
it was: in blocks of scale x scale pixels. PSNR of luma does not see that.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.errors import ConfigError

_BLUE, _RED = (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312)  # Cb and Cr, ITU-R BT.601


def colour_blocks(pixels: NDArray[Any], scale: int) -> float:
    """How much larger steps of colour are between blocks than within them.

    Args:
        pixels: (H, W, 3), uint8 or uint16.
        scale: how many times it was enlarged, 2 or more.

    Returns:
        The mean step of Cb and Cr between neighbours in two blocks, divided by that between neighbours in
        one: about 1 where colour is interpolated, infinity where pixels are repeated. 1 where there is no
        colour.

    Raises:
        ConfigError: another scale, or a picture that is no larger than one block.
    """
    height, width = pixels.shape[:2]
    if scale < 2 or min(height, width) <= scale:
        raise ConfigError(
            f"blocks of colour are looked for at scale 2 or more in a picture larger than that; given "
            f"scale {scale} and {width} x {height} pixels"
        )
    planes = pixels.astype(np.float64) @ np.array([_BLUE, _RED]).T
    between = within = 0.0
    for axis in (0, 1):
        steps = np.abs(np.diff(planes, axis=axis)).mean(axis=(1 - axis, 2))
        border = np.arange(1, len(steps) + 1) % scale == 0
        between += float(steps[border].mean())
        within += float(steps[~border].mean())
    if not within:
        return np.inf if between else 1.0
    return between / within
