"""Alpha that is 0 or full all around stays so when a network enlarges it.

Networks are not exact in flat areas: they shift black and white by up to several levels, far from any edge
too (docs/pictures.md has the figures). In colours that is not seen; in alpha, clear becomes a veil and opaque
lets the background through. An input pixel whose eight neighbours are like it holds no edge: in shapes drawn
large and reduced by averaging none, by bicubic interpolation at most a few levels next to the edge itself.
So there the given value is kept, and the network draws the edge.
"""

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.images.picture import Samples, rounded_to, white

Weights = NDArray[np.float32]

# In input pixels from the nearest pixel of another alpha: up to the first distance the network's value counts
# in full, from the second on the given one, and in between they are mixed, so that the rule has no edge.
NEAR = 0.25
FAR = 1.0
BAND = 64  # rows of input pixels that are worked on at once


def keep_uniform(large: Samples, alpha: Samples) -> None:
    """Change `large`, an enlarged alpha, back to 0 and to full where the alpha around is nothing else.

    Wherever a pixel of `alpha` and its eight neighbours are all 0, or all full, the result is exactly that;
    what lies beyond the picture's border does not count.

    Args:
        large: (H * scale, W * scale, 1), uint8, uint16, or float32 from 0 to 1; changed in place.
        alpha: (H, W, 1), the alpha that was enlarged, of the same type.
    """
    height = alpha.shape[0]
    scale = large.shape[0] // height
    for value in (0, white(alpha)):
        other = alpha[:, :, 0] != value
        if other.all():
            continue
        for top in range(0, height, BAND):
            bottom = min(top + BAND, height)
            above, below = min(top, 1), min(height - bottom, 1)
            band = other[top - above : bottom + below].astype(np.float32)
            weights = _spread(_spread(band, scale).T, scale).T
            weights = weights[above * scale : (above + bottom - top) * scale]
            place = large[top * scale : bottom * scale, :, 0]
            place[...] = rounded_to(value + weights * (place - np.float32(value)), place.dtype)


def _spread(other: Weights, scale: int) -> Weights:
    """(h, w), 1 where alpha is another -> (h * scale, w), the share of the network at each new row."""
    padded = np.pad(other, ((1, 1), (0, 0)))
    result = np.empty((other.shape[0], scale, other.shape[1]), np.float32)
    for phase in range(scale):
        below_the_top = (phase + 0.5) / scale  # of the new row's centre, in input pixels
        nearest = np.maximum(other, _share(below_the_top) * padded[:-2])
        result[:, phase] = np.maximum(nearest, _share(1 - below_the_top) * padded[2:])
    return result.reshape(-1, other.shape[1])


def _share(distance: float) -> np.float32:
    """The network's share at this distance from another alpha: from 1 to 0 without a bend at either end."""
    part = min(max((distance - NEAR) / (FAR - NEAR), 0), 1)
    return np.float32(1 - part * part * (3 - 2 * part))
