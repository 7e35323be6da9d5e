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
        self.here = 0  # how many there are
        # as many rows as a tile of the tail has, channels last
        shape = min(TAIL_SIZE, self.height), self.width, engine.trunk.features
        self.features = torch.empty(shape, dtype=torch.float32, device=engine.engine.device)

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
            given = features[0].permute(1, 2, 0)
            while len(given):
                count = min(len(given), len(self.features) - self.here)
                self.features[self.here : self.here + count] = given[:count]
                given, self.here = given[count:], self.here + count
                if self.here == len(self.features) or self.first + self.here == self.height:
                    yield self._ready()

    def _ready(self) -> Canvas:
        """The tail of the rows that are here; those that the next ones need stay."""
        end = self.first + self.here
        delivered = end if end == self.height else end - self.halo
        with computing(self.engine.engine.device):  # left before the caller goes on
            large = self._tail(self.features[: self.here].permute(2, 0, 1).unsqueeze(0), delivered)
        first = max(delivered - self.halo, 0)
        kept = end - first
        self.features[:kept] = self.features[self.here - kept : self.here].clone()
        self.done, self.first, self.here = delivered, first, kept
        return large

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
