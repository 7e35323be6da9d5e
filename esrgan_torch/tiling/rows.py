"""A strip of a picture by rows: pixels in, pixels out, as they come."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from esrgan_torch.engines.choose_rows import RowEngine
from esrgan_torch.engines.computing import computing
from esrgan_torch.engines.devices import is_out_of_memory
from esrgan_torch.engines.rows import Rows
from esrgan_torch.errors import NonFiniteError, OutOfMemoryError
from esrgan_torch.images.picture import Samples, white
from esrgan_torch.networks.base import Generator
from esrgan_torch.quantise import Canvas, CanvasType
from esrgan_torch.tiling.means import GrayThroughColour
from esrgan_torch.tiling.modes import Box, Tile, plan_tiles
from esrgan_torch.tiling.mosaic import JoinedMosaic
from esrgan_torch.tiling.plan import TAIL_SIZE
from esrgan_torch.watch import Progress

ROWS = 64  # of the picture, given at once; a multiple of every network's `unshuffle`


class RowRun:
    """A strip of columns on its way through a network by rows.

    Args:
        engine: computes it.
        model: sizes of the network.
        height: of the picture; it and the strip's edges are multiples of `unshuffle`.
        strip: as high as the picture.
        channels: of the picture, 1 or 3.
        dtype: of the result; in float32 it is neither rounded nor cut off.
    """

    def __init__(
        self,
        engine: RowEngine,
        model: Generator,
        height: int,
        strip: Tile,
        channels: int,
        dtype: CanvasType,
    ) -> None:
        self.engine, self.fold, self.halo = engine, model.unshuffle, model.tail_halo
        self.scale = model.scale * model.unshuffle  # of features
        self.strip, self.channels, self.dtype = strip, channels, dtype
        self.height, self.width = height // self.fold, strip.window.width // self.fold
        gray = model.in_channels == 3 and channels == 1
        self.through_colour = GrayThroughColour() if gray else None
        self.done = 0  # rows of features whose pixels were given
        self.first = 0  # of those that are here
        self.features: Tensor | None = None

    def bands(self, given: Iterable[Samples], progress: Progress) -> Iterator[Canvas]:
        """The larger picture from its top, (h, W * scale, C) each.

        Args:
            given: the window's pixels from the top, (h, W, C); h is a multiple of `unshuffle`.
            progress: told the share that is done, from 0 to 1.

        Raises:
            OutOfMemoryError: memory is short.
            NonFiniteError: the network gives NaN or infinity.
        """
        try:
            with computing(self.engine.engine.device):
                rows = self.engine.trunk.rows(self.height * self.fold, self.width * self.fold)
            for pixels in given:
                yield from self._push(rows, pixels)
                progress(self.done / self.height)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise OutOfMemoryError(
                f"memory ran out in a picture of {self.width * self.fold} columns by rows; "
                "free memory, or give the process more"
            ) from error

    def _push(self, rows: Rows, pixels: Samples) -> Iterator[Canvas]:
        values = pixels.astype(np.float32)
        values /= np.float32(white(pixels))
        batch = torch.from_numpy(values).permute(2, 0, 1)[None]
        if self.through_colour:
            batch = self.through_colour.grow(batch)
        for features in rows.push(batch):
            self.features = (
                features.clone() if self.features is None else torch.cat((self.features, features), 2)
            )
            yield from self._ready()

    def _ready(self) -> Iterator[Canvas]:
        """The tail of as many rows as a tile has, while they are here."""
        assert self.features is not None
        while self.done < self.height:
            here = self.first + self.features.shape[2]
            end = min(self.first + TAIL_SIZE, self.height)
            if here < end:
                return
            delivered = end if end == self.height else end - self.halo
            with computing(self.engine.engine.device):  # left before the caller goes on
                large = self._tail(self.features[:, :, : end - self.first], delivered)
            yield large
            self.done = delivered
            next_first = max(self.done - self.halo, 0)
            self.features = self.features[:, :, next_first - self.first :].contiguous(
                memory_format=torch.channels_last
            )
            self.first = next_first

    def _tail(self, features: Tensor, delivered: int) -> Canvas:
        """Pixels of the core's columns and of the rows from `done` to `delivered`, both in features."""
        core, window = self.strip.core, self.strip.window
        left, right = (core.left - window.left) // self.fold, (core.right - window.left) // self.fold
        wanted = Box(self.done - self.first, left, delivered - self.done, right - left)
        scale = self.scale
        mosaic = JoinedMosaic(wanted.height * scale, wanted.width * scale, self.channels, self.dtype)
        for part in plan_tiles(features.shape[2], features.shape[3], TAIL_SIZE, self.halo):
            place = part.core.cut_to(wanted)
            if place.is_empty():
                continue
            target = place.moved(-wanted.top, -wanted.left).scaled(scale)
            if part.window == place and not self.through_colour:
                pixels = mosaic.whole_numbers(target.top, target.left, target.height, target.width)
                cut = features[:, :, place.rows, place.columns]
                finite = None if pixels is None else self.engine.engine.tail_pixels(cut, pixels)
                if finite is not None:
                    check_finite(finite)
                    continue
            values = self.engine.engine.tail(features[:, :, part.window.rows, part.window.columns])
            inside = place.moved(-part.window.top, -part.window.left).scaled(scale)
            values = values[:, :, inside.rows, inside.columns]
            if self.through_colour:
                values = self.through_colour.shrink(values)
            check_finite(mosaic.put(target, target.top, target.left, values))
        return mosaic.finish()


def check_finite(finite: bool) -> None:
    """NonFiniteError where something was not."""
    if not finite:
        raise NonFiniteError(
            "the network gives NaN or infinity in float32: its weights are damaged or not meant for pictures"
        )
