"""A picture that sets what several models make of the same places side by side."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.datasets.sets import PictureSet, find_set
from esrgan_torch.errors import ConfigError, ImageError
from esrgan_torch.images.encode import to_8_bits
from esrgan_torch.images.picture import Picture

GAP = 4  # pixels of white between pictures


def comparison_grid(
    models: Mapping[str, Callable[[Picture], Picture]],
    dataset: Path | PictureSet,
    *,
    scale: int = 4,
    side: int = 192,
    most: int = 5,
) -> NDArray[np.uint8]:
    """A row for each picture of a folder: the middle by each model, then the original's.

    A model sees the middle with 16 low-resolution pixels around it, not the whole picture.

    Args:
        models: by name, in the order of the columns; each enlarges `scale` times.
        dataset: as for `esrgan_torch.metrics.protocol.evaluate`; pictures that cannot be read are left out.
        scale: of all models.
        side: of a place, in pixels of the original; smaller originals are shown whole.
        most: rows.

    Returns:
        (H, W, 3), white between the pictures.

    Raises:
        ConfigError: as for `evaluate`, or no picture can be read.
    """
    rows: list[NDArray[np.uint8]] = []
    found = dataset if isinstance(dataset, PictureSet) else find_set(dataset, scale)
    for original, small in islice(_readable(found), most):
        top, height = _middle(small.shape[0], side // scale)
        left, width = _middle(small.shape[1], side // scale)
        first, before = max(0, top - 16), max(0, left - 16)
        window = small[first : top + height + 16, before : left + width + 16].copy()
        row = np.full((side, (len(models) + 1) * (side + GAP) - GAP, 3), 255, np.uint8)
        for column, upscale in enumerate(models.values()):
            made: NDArray[Any] = to_8_bits(upscale(Picture(window)).pixels)
            y, x = (top - first) * scale, (left - before) * scale
            _put(row, column, made[y : y + height * scale, x : x + width * scale], side)
        place = original[top * scale : (top + height) * scale, left * scale : (left + width) * scale]
        _put(row, len(models), place, side)
        rows += [row, np.full((GAP, row.shape[1], 3), 255, np.uint8)]
    if not rows:
        raise ConfigError(f"{found.name}: no picture can be read, so there is nothing to compare")
    return np.concatenate(rows[:-1])


def _readable(found: PictureSet) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    for couple in found.couples:
        with suppress(ImageError):
            yield found.read(couple)


def _middle(length: int, wanted: int) -> tuple[int, int]:
    """Start and length of the middle."""
    kept = min(length, wanted)
    return (length - kept) // 2, kept


def _put(row: NDArray[np.uint8], column: int, pixels: NDArray[Any], side: int) -> None:
    left = column * (side + GAP)
    row[: pixels.shape[0], left : left + pixels.shape[1]] = pixels
