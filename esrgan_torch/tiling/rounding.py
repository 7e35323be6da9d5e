"""Planes of a network's result into a picture; and whether all of it is finite."""

import math

import numpy as np

from esrgan_torch.engines.native import build
from esrgan_torch.quantise import Canvas, Planes, to_levels

BLOCK = 2**16  # values that are rounded at once: they stay in the cache from one step to the next


def put_planes(planes: Planes, place: Canvas) -> bool:
    """Planes (C, h, w) as `to_levels` has them into a part of a picture, (h, w, C); whether all are finite.

    In one pass by the native engine's library where that is in use, else by NumPy: the same bits.
    """
    library = build.library_in_use()
    rows, columns = planes.strides[1:]
    if (
        library is None
        or planes.dtype != np.float32
        or place.dtype == np.float32
        or columns != planes.itemsize
        or min(planes.strides) < 0
        or place.strides[1:] != (place.shape[2] * place.itemsize, place.itemsize)
    ):
        return _put_by_numpy(planes, place)
    channels, height, width = planes.shape
    source = planes.ctypes.data, planes.strides[0] // 4, rows // 4
    target = place.ctypes.data, place.strides[0]
    return bool(library.round(*source, *target, channels, width, 0, height, place.itemsize))


def _put_by_numpy(planes: Planes, place: Canvas) -> bool:
    channels, height, width = planes.shape
    at_once = max(BLOCK // (channels * width), 1)
    for top in range(0, height, at_once):
        rows = slice(top, top + at_once)
        if not is_finite(planes[:, rows]):
            return False
        # four times as fast as all channels in one assignment
        for channel, plane in enumerate(to_levels(planes[:, rows], place.dtype)):
            place[rows, :, channel] = plane
    return True


def is_finite(values: Planes) -> bool:
    """Whether there is no NaN and no infinity; a sum has one where a value is, and reads all once."""
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(values.sum()) or bool(np.isfinite(values).all())
