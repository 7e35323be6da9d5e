"""Colour under transparent pixels, so that a network that looks around sees no fringe there."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.errors import ConfigError
from esrgan_torch.images.picture import Samples, rounded_to
from esrgan_torch.images.turns import TURNS, turned, turned_back

Level = NDArray[np.floating[Any]]


def bleed(colour: Samples, alpha: Samples) -> Samples:
    """Fill fully transparent pixels with the colour of the visible ones around them.

    Editors leave any colour, mostly black, where alpha is 0; a network would mix it into the visible
    edge. The fill is smooth, near the edge close to the edge's colour. Visible pixels are unchanged, and
    so is a picture without any.

    Source: the pull-push pyramid of Gortler, Grzeszczuk, Szeliski, Cohen, The Lumigraph, SIGGRAPH 1996.

    Args:
        colour: (H, W, C), uint8, uint16, or float32 from 0 to 1.
        alpha: (H, W) or (H, W, 1), same type; 0 is fully transparent.

    Returns:
        (H, W, C), a new array unless nothing had to be filled.

    Raises:
        ConfigError: the sizes differ.
    """
    visible = (alpha[:, :, 0] if alpha.ndim == 3 else alpha) > 0
    if colour.ndim != 3 or visible.shape != colour.shape[:2]:
        raise ConfigError(f"colour {colour.shape} and alpha {alpha.shape} differ in size")
    if visible.all() or not visible.any():
        return colour
    weight = visible[:, :, None].astype(np.float32)
    filled = _fill(colour.astype(np.float32) * weight, weight)
    return np.where(visible[:, :, None], colour, rounded_to(filled, colour.dtype))


def bleed_evenly(colour: Samples, alpha: Samples) -> Samples:
    """As `bleed`, but turning the picture turns the result: the mean over the eight ways to lay it.

    The pyramid pairs pixels from the top left, so that one turn differs from another.
    """
    total = np.zeros(colour.shape, np.float64)  # exact for whole numbers
    for number in range(TURNS):
        total += turned_back(bleed(turned(colour, number), turned(alpha, number)), number)
    total /= TURNS
    return (np.floor(total + 0.5) if colour.dtype.kind == "u" else total).astype(colour.dtype)


def _fill(sums: Level, weight: Level) -> Level:
    """Colour everywhere from weighted colour (H, W, C) and its weight (H, W, 1) in 0-1."""
    if weight.all():
        return sums / weight
    # Every level has at least one visible pixel, so at 1 x 1 the weight is positive and this ends.
    coarse_sums, coarse_weight = _halve(sums), _halve(weight)
    # what four pixels agree on counts as one: the weight saturates
    over = np.maximum(coarse_weight, 1)
    coarse = _fill(coarse_sums / over, coarse_weight / over)
    around = _double(coarse, sums.shape[0], sums.shape[1])
    return sums + (1 - weight) * around


def _halve(level: Level) -> Level:
    """Sums of 2 x 2 pixels; an odd side is padded by nothing."""
    padded = np.pad(level, ((0, level.shape[0] % 2), (0, level.shape[1] % 2), (0, 0)))
    rows = padded[0::2] + padded[1::2]
    return rows[:, 0::2] + rows[:, 1::2]


def _double(level: Level, height: int, width: int) -> Level:
    """Linear interpolation by 2 along both axes, cropped to (height, width)."""
    for axis, size in ((0, height), (1, width)):
        moved = np.moveaxis(level, axis, 0)
        before = np.concatenate([moved[:1], moved[:-1]])
        after = np.concatenate([moved[1:], moved[-1:]])
        doubled = np.stack([0.75 * moved + 0.25 * before, 0.75 * moved + 0.25 * after], axis=1)
        doubled = doubled.reshape(-1, *moved.shape[1:])[:size]
        level = np.moveaxis(doubled, 0, axis)
    return level
