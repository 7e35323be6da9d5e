"""Filters as whole numbers of 8 bits: a zero and a step for every few input channels of an output channel.

Within each kernel (the 3x3 weights between two channels) a weight may be rounded the other way, so that the
sum of the kernel keeps its value to half a level: pictures and features are smooth, so the error of the sum
is what shows (Guo et al. 2022, SQuant: https://arxiv.org/abs/2202.07471). Tried and not better on photos:
rounding that keeps the kernel's slopes too, and, with eight channels a step, a correction of the biases by
the mean features of a photo.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVELS = 255
Float = NDArray[np.float32]


@dataclass(frozen=True)
class Levels:
    """A filter: (levels - zeros) * steps * unit.

    Args:
        levels: (height * width, groups, inputs of a group, outputs) uint8.
        zeros, steps: (1, groups, 1, outputs) uint8; steps from 1.
    """

    levels: NDArray[np.uint8]
    zeros: NDArray[np.uint8]
    steps: NDArray[np.uint8]


def unit_of(filters: Iterable[Float], group: int) -> np.float32:
    """What the steps of these filters are counted in: the largest step is 255 units."""
    widest = max(float(np.subtract(*_range(_grouped(values, group))).max()) for values in filters)
    # not below the smallest normal number: a filter of zeros has steps too
    return max(np.float32(widest / LEVELS / 255), np.finfo(np.float32).tiny)


def in_levels(values: Float, group: int, unit: np.float32) -> Levels:
    """Round a filter (height, width, in, out) of which `group` input channels share a zero and a step.

    Args:
        values: the filter.
        group: divides the input channels.
        unit: of `unit_of`, for this filter and others perhaps.
    """
    grouped = _grouped(values, group)
    high, low = _range(grouped)
    # upwards, so that the range is covered; what is stored is what rounding works with
    steps = np.ceil((high - low) / LEVELS / unit).clip(1, 255)
    exact = grouped / (steps * unit)
    zeros = np.rint(-low / (steps * unit)).clip(0, LEVELS)
    levels = (sum_keeping(exact) + zeros).clip(0, LEVELS)
    return Levels(levels.astype(np.uint8), zeros.astype(np.uint8), steps.astype(np.uint8))


def _grouped(values: Float, group: int) -> Float:
    height, width, inputs, outputs = values.shape
    return values.reshape(height * width, inputs // group, group, outputs)


def _range(grouped: Float) -> tuple[Float, Float]:
    """Largest and smallest value of each group, zero included."""
    high = np.maximum(grouped.max(axis=(0, 2), keepdims=True), 0)
    return high, np.minimum(grouped.min(axis=(0, 2), keepdims=True), 0)


def sum_keeping(exact: Float) -> NDArray[Any]:
    """Round (height * width, ...) to whole numbers; each sum over the first axis changes by at most 1/2.

    Each entry is rounded; then, where the sum is off by more than a half, the entries that were nearest to
    the other whole number go there. No entry moves by more than 1.
    """
    rounded = np.rint(exact)
    error = exact - rounded
    missing = np.rint(error.sum(axis=0, keepdims=True))
    order = np.argsort(-error * np.sign(missing), axis=0, kind="stable")
    rank = np.argsort(order, axis=0, kind="stable")
    return rounded + np.sign(missing) * (rank < np.abs(missing))
