"""MATLAB's `imresize(image, [height width], "bicubic")`, by which papers make their low-resolution images."""

import math
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.errors import ConfigError

Number = TypeVar("Number", np.uint8, np.uint16, np.uint8 | np.uint16, np.float32, np.float64)

_CHUNK = 1 << 21  # numbers of float64 that are worked on at once: 16 MiB


def imresize(image: NDArray[Number], height: int, width: int) -> NDArray[Number]:
    """Resize by cubic convolution with antialiasing, as MATLAB does.

    The kernel is Keys' cubic (a = -0.5), stretched by the inverse of the scale when shrinking; borders
    are mirrored. The axis with the smaller scale goes first, rows when they are equal, and of uint8 and
    uint16 images the image in between is rounded and clipped as well, as in MATLAB: the low-resolution
    images of Set5 come out bit for bit. Float images are neither rounded nor clipped. Sums are float64.

    Source: R. Keys, Cubic Convolution Interpolation for Digital Image Processing, IEEE TASSP 29, 1981;
    the documentation of MATLAB's imresize.

    Args:
        image: (H, W, C) or (H, W), uint8, uint16, float32 or float64.
        height, width: of the result, in pixels.

    Returns:
        (height, width, C) or (height, width), of the same type.

    Raises:
        ConfigError: another shape or type, or a size below 1.
    """
    if image.ndim not in (2, 3) or 0 in image.shape:
        raise ConfigError(f"imresize needs an image (H, W) or (H, W, C), not of shape {image.shape}")
    if str(image.dtype) not in ("uint8", "uint16", "float32", "float64"):
        raise ConfigError(f"imresize needs uint8, uint16, float32 or float64, not {image.dtype}")
    if height < 1 or width < 1:
        raise ConfigError(f"imresize needs a height and a width of at least 1, not {height} x {width}")
    rows_first = height / image.shape[0] <= width / image.shape[1]
    result: NDArray[Any] = image
    for axis in (0, 1) if rows_first else (1, 0):
        result = _resize_axis(result, axis, (height, width)[axis])
    return result


def _resize_axis(image: NDArray[Any], axis: int, size: int) -> NDArray[Any]:
    indices, weights = _taps(image.shape[axis], size)
    shape = list(image.shape)
    shape[axis] = size
    result = np.empty(shape, image.dtype)
    rows = max(1, _CHUNK // max(1, math.prod(shape[1:])))
    for top in range(0, shape[0], rows):
        part = slice(top, top + rows)
        total = np.zeros(result[part].shape, np.float64)
        for tap in range(weights.shape[1]):
            if axis == 0:
                weight = weights[part, tap].reshape(-1, *[1] * (image.ndim - 1))
                total += weight * image.take(indices[part, tap], axis=0)
            else:
                weight = weights[:, tap].reshape(-1, *[1] * (image.ndim - 2))
                total += weight * image[part].take(indices[:, tap], axis=1)
        if np.issubdtype(image.dtype, np.integer):
            total = np.clip(np.floor(total + 0.5), 0, np.iinfo(image.dtype).max)
        result[part] = total
    return result


def _taps(size: int, new_size: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each new pixel, the old pixels that it is made of and their weights, both (new_size, taps)."""
    scale = new_size / size
    stretch = min(scale, 1.0)
    reach = 2 / stretch
    # centres of the new pixels, counted in old pixels from 0
    centres = (np.arange(new_size, dtype=np.float64) + 0.5) / scale - 0.5
    first = np.floor(centres - reach).astype(np.int64)
    positions = first[:, None] + np.arange(math.ceil(2 * reach) + 2)
    weights = _cubic(stretch * (centres[:, None] - positions))
    weights /= weights.sum(axis=1, keepdims=True)
    used: NDArray[np.bool_] = (weights != 0).any(axis=0)
    # mirrored borders repeat with a period of twice the size: 0 1 2 2 1 0 0 1 2 ...
    folded = positions[:, used] % (2 * size)
    return np.minimum(folded, 2 * size - 1 - folded), weights[:, used]


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.abs(distance)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))
