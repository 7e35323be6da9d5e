"""Float tiles into a picture of integers, or of floats, joined plainly or cross-faded."""

from abc import ABC, abstractmethod
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from esrgan_torch.engines.base import WholeNumbers
from esrgan_torch.engines.host import for_rows
from esrgan_torch.quantise import Canvas, CanvasType, Planes, maximum, to_levels
from esrgan_torch.tiling.modes import Box
from esrgan_torch.tiling.rounding import is_finite, put_planes


class Mosaic(ABC):
    """A picture of (height, width, channels) that tiles are put into; all sizes in output pixels.

    Of type float32 it takes the values as they are; of an integer type it takes them in [0, 1] as whole
    numbers up to the type's maximum.
    """

    def __init__(self, height: int, width: int, channels: int, dtype: CanvasType) -> None:
        self.picture: Canvas = np.zeros((height, width, channels), dtype)

    @abstractmethod
    def put(self, core: Box, top: int, left: int, values: Tensor) -> bool:
        """Put (1, C, h, w) values in [0, 1] at (top, left), a part of what the tile with that core gives.

        Tiles come row by row. Returns whether all values are finite: else the picture is of no use.
        """

    @abstractmethod
    def finish(self) -> Canvas:
        """The picture, when every tile has been put."""


class JoinedMosaic(Mosaic):
    """Every pixel comes from one tile."""

    def put(self, core: Box, top: int, left: int, values: Tensor) -> bool:
        height, width = values.shape[-2:]
        place = self.picture[top : top + height, left : left + width]
        finite = [values.device.type == "cpu" or bool(torch.isfinite(values).all())]
        planes = self._on_host(values[0])

        def store(rows: slice) -> None:
            finite.append(put_planes(planes[:, rows], place[rows]))

        for_rows(store, height, planes.size)
        return all(finite)

    def whole_numbers(self, top: int, left: int, height: int, width: int) -> WholeNumbers | None:
        """A part of the picture, to be written to instead of `put`; None where it is of floats."""
        if self.picture.dtype == np.float32:
            return None
        return cast(WholeNumbers, self.picture[top : top + height, left : left + width])

    def _on_host(self, values: Tensor) -> Planes:
        """(C, h, w) as they are on a CPU; rounded where they are on another device: fewer bytes travel."""
        if values.device.type != "cpu":
            dtype = self.picture.dtype
            if dtype != np.float32:
                rounded = values.clamp(0, 1).mul_(maximum(dtype)).round_()
                values = rounded.to(torch.uint8 if dtype == np.uint8 else torch.int32)
            values = values.cpu()
        return cast(Planes, values.numpy())

    def finish(self) -> Canvas:
        return self.picture


class CrossFadedMosaic(Mosaic):
    """Tiles are mixed over `fade` pixels on either side of their seams, with weights that add up to 1.

    Only a strip of the picture, one row of tiles, is held as float.
    """

    def __init__(self, height: int, width: int, channels: int, dtype: CanvasType, fade: int) -> None:
        super().__init__(height, width, channels, dtype)
        self._fade = fade
        self._strip = np.zeros((0, width, channels), np.float32)
        self._strip_top = 0
        self._row: tuple[int, int] | None = None

    def put(self, core: Box, top: int, left: int, values: Tensor) -> bool:
        if self._row != (core.top, core.bottom):
            self._begin_row(core.top, core.bottom)
        pixels = cast(NDArray[np.float32], values[0].permute(1, 2, 0).float().cpu().numpy())
        height, width = self.picture.shape[:2]
        rows, columns = pixels.shape[:2]
        down = fade_weights(top, rows, core.top, core.bottom, height, self._fade)
        across = fade_weights(left, columns, core.left, core.right, width, self._fade)
        start = top - self._strip_top
        weighted = pixels * down[:, None, None] * across[None, :, None]
        self._strip[start : start + rows, left : left + columns] += weighted
        return is_finite(pixels)

    def _begin_row(self, top: int, bottom: int) -> None:
        height, width, channels = self.picture.shape
        strip_top = max(top - self._fade, 0)
        self._flush(strip_top)
        strip = np.zeros((min(bottom + self._fade, height) - strip_top, width, channels), np.float32)
        carried = self._strip[strip_top - self._strip_top :]
        strip[: len(carried)] = carried
        self._strip, self._strip_top, self._row = strip, strip_top, (top, bottom)

    def _flush(self, end: int) -> None:
        done = self._strip[: end - self._strip_top]
        self.picture[self._strip_top : end] = to_levels(done, self.picture.dtype)

    def finish(self) -> Canvas:
        self._flush(self.picture.shape[0])
        return self.picture


def fade_weights(first: int, count: int, start: int, end: int, total: int, fade: int) -> NDArray[np.float32]:
    """Weights of a tile with core [start, end) at `count` positions from `first`, of `total` pixels.

    A half-sine ramp over `fade` pixels on either side of a seam; 1 towards the picture's border.
    The weights of neighbouring tiles add up to 1.
    """

    def ramp(distance: NDArray[np.float64]) -> NDArray[np.float64]:
        return 0.5 + 0.5 * np.sin(np.pi / 2 * np.clip(distance / fade, -1, 1))

    centres = np.arange(first, first + count, dtype=np.float64) + 0.5
    weights = np.ones(count)
    if fade and start > 0:
        weights *= ramp(centres - start)
    if fade and end < total:
        weights *= ramp(end - centres)
    return weights.astype(np.float32)
