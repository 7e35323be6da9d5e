"""Carry out a plan: one picture of colour channels through an engine, tile by tile.

What goes wrong in a tile is met there and reported: out of memory divides the tile, values that are not
finite are computed again in float32. Nothing else is caught: a tile that fails fails the picture.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.devices import is_out_of_memory, release_memory
from esrgan_torch.engines.host import for_rows
from esrgan_torch.errors import NonFiniteError, OutOfMemoryError
from esrgan_torch.images.picture import Samples, white
from esrgan_torch.tiling.modes import MINIMUM_SIZE, Tile, make_tile, plan_tiles
from esrgan_torch.tiling.mosaic import CrossFadedMosaic, JoinedMosaic, Mosaic
from esrgan_torch.tiling.plan import Plan
from esrgan_torch.tiling.rounding import Canvas, CanvasType, is_finite
from esrgan_torch.watch import Progress

log = logging.getLogger("esrgan_torch")

TRUNK_SHARE = 0.9  # of a window's time, for the progress: 92 % of RRDB-23, 76 % of RRDB-6


@dataclass
class Run:
    """One picture on its way through the network.

    Args:
        engine: runs the network.
        exact_engine: makes the float32 engine that repeats a tile; called at the first need.
        plan: what to do.
        divisible: whether a window that does not fit may be divided into overlapping ones.
        tail_halo: feature pixels around a tile of the tail.
        receptive_field: input pixels around a window that make it exact.
        grow: turns (1, channels, h, w) in [0, 1] into what the network takes.
        shrink: turns what the network gives into the result's channels.
        progress: told the share that is done, from 0 to 1.
        caused: whether `progress` raised an error, which then passes untouched.

    Attributes:
        redone: tiles that were computed again in float32.
        divided: tiles that did not fit in memory.
        exact: whether the result so far equals the untiled one.
    """

    engine: Engine
    exact_engine: Callable[[], Engine]
    plan: Plan
    divisible: bool
    tail_halo: int
    receptive_field: int
    grow: Callable[[Tensor], Tensor]
    shrink: Callable[[Tensor], Tensor]
    progress: Progress
    caused: Callable[[BaseException], bool]
    redone: int = field(default=0, init=False)
    divided: int = field(default=0, init=False)
    exact: bool = field(default=True, init=False)
    _padded: Samples = field(init=False)
    _tail_size: int | None = field(init=False)
    _windows_done: int = field(default=0, init=False)

    def picture(self, pixels: Samples) -> Samples:
        """(H, W, channels) -> (H * scale, W * scale, channels) of the same type; float32 as `values`.

        Raises:
            OutOfMemoryError: a tile of 16 pixels does not fit either, or dividing is not allowed.
            NonFiniteError: the network gives NaN or infinity in float32 too.
        """
        return self._compute(pixels, pixels.dtype)

    def values(self, pixels: Samples) -> NDArray[np.float32]:
        """As `picture`, but float32 in [0, 1], neither rounded nor cut off where the network overshoots."""
        return cast(NDArray[np.float32], self._compute(pixels, np.dtype(np.float32)))

    def _compute(self, pixels: Samples, dtype: CanvasType) -> Canvas:
        height, width, channels = pixels.shape
        scale = self.engine.scale
        self._padded = _pad(pixels, self.engine.unshuffle)
        self._tail_size = self.plan.tail_size
        mosaic = self._mosaic(channels, dtype)
        for tile in self.plan.windows:
            self._window(mosaic, tile, tile)
            self._windows_done += 1
            self._tell(0.0)
        return mosaic.finish()[: height * scale, : width * scale]

    def _mosaic(self, channels: int, dtype: CanvasType) -> Mosaic:
        scale = self.engine.scale
        height, width = self._padded.shape[0] * scale, self._padded.shape[1] * scale
        if self.plan.fade:
            return CrossFadedMosaic(height, width, channels, dtype, self.plan.fade * scale)
        return JoinedMosaic(height, width, channels, dtype)

    def _window(self, mosaic: Mosaic, core: Tile, tile: Tile) -> None:
        """Compute `tile`, which is `core` or a part of it that memory allows."""
        features = self._features(tile)
        if features is not None:
            self._tail(mosaic, core, tile, features)
            return
        release_memory(self.engine.device)
        if not self.divisible:
            raise OutOfMemoryError(
                f"the trunk of {tile.window_height}x{tile.window_width} pixels does not fit in memory; "
                "use a smaller picture, or allow overlapping tiles"
            )
        if max(tile.height, tile.width) < MINIMUM_SIZE:
            raise OutOfMemoryError(
                f"a tile of {tile.height}x{tile.width} pixels and the {self.plan.overlap} around it do not "
                "fit in memory; free memory or choose another device"
            )
        self.divided += 1
        self.exact = self.exact and self.plan.overlap >= self.receptive_field
        log.warning("out of memory at %dx%d pixels: divided", tile.window_height, tile.window_width)
        for part in _quarters(tile, self.engine.unshuffle):
            total_height, total_width = self._padded.shape[:2]
            window = make_tile(
                part.top, part.left, part.height, part.width, total_height, total_width, self.plan.overlap
            )
            self._window(mosaic, core, window)

    def _features(self, tile: Tile) -> Tensor | None:
        """The trunk's result for the tile's window; None when it does not fit in memory."""
        rows = slice(tile.window_top, tile.window_top + tile.window_height)
        columns = slice(tile.window_left, tile.window_left + tile.window_width)
        # divided by NumPy: PyTorch would wake its threads, which then wait busily while OpenVINO computes
        values = self._padded[rows, columns].astype(np.float32)
        values /= np.float32(white(self._padded))
        window = torch.from_numpy(values).permute(2, 0, 1)[None]

        def attempt() -> Tensor:
            batch = self.grow(window.to(self.engine.device))
            features = self.engine.trunk(batch, lambda done: self._tell(TRUNK_SHARE * done))
            return self._finite(features, lambda engine: engine.trunk(batch, _ignore))

        while True:
            try:
                return attempt()
            except RuntimeError as error:
                if self.caused(error) or not is_out_of_memory(error):
                    raise
            # outside the handler, where the failed attempt's tensors are no longer held by the traceback
            release_memory(self.engine.device)
            if not self.engine.shrink():
                return None

    def _tail(self, mosaic: Mosaic, core: Tile, tile: Tile, features: Tensor) -> None:
        fold = self.engine.unshuffle
        height, width = features.shape[-2:]
        size = self._tail_size or max(height, width)
        parts = plan_tiles(height, width, size, self.tail_halo)
        for number, part in enumerate(parts, start=1):
            # parts that lie wholly in the context that the trunk needed are not computed
            if _meets(part, tile, fold, self.plan.fade):
                self._tail_part(mosaic, core, tile, features, part)
            self._tell(TRUNK_SHARE + (1 - TRUNK_SHARE) * number / len(parts))

    def _tail_part(self, mosaic: Mosaic, core: Tile, tile: Tile, features: Tensor, part: Tile) -> None:
        rows = slice(part.window_top, part.window_top + part.window_height)
        columns = slice(part.window_left, part.window_left + part.window_width)
        values: Tensor | None = None
        try:
            cut = features[:, :, rows, columns]
            values = self._finite(self.engine.tail(cut), lambda engine: engine.tail(cut))
        except RuntimeError as error:
            if self.caused(error) or not is_out_of_memory(error):
                raise
        if values is not None:
            self._place(mosaic, core, tile, part, values)
            return
        release_memory(self.engine.device)
        if max(part.height, part.width) < 2:
            raise OutOfMemoryError("the tail of a single pixel does not fit in memory")
        self.divided += 1
        log.warning("out of memory in a tail tile of %dx%d pixels: divided", part.height, part.width)
        self._tail_size = max(-(-max(part.height, part.width) // 2), 1)
        for quarter in _quarters(part, 1):
            height, width = features.shape[-2:]
            window = make_tile(
                quarter.top, quarter.left, quarter.height, quarter.width, height, width, self.tail_halo
            )
            self._tail_part(mosaic, core, tile, features, window)

    def _place(self, mosaic: Mosaic, core: Tile, tile: Tile, part: Tile, values: Tensor) -> None:
        """Crop to what this tile answers for (its core, and the seam that is mixed), and put it down."""
        fold, scale = self.engine.unshuffle, self.engine.scale
        top, bottom, left, right = _reach(tile, core, self.plan.fade, self._padded.shape)
        # the part's core in input pixels of the picture, cut to the tile
        part_top = max(tile.window_top + part.top * fold, top)
        part_bottom = min(tile.window_top + part.bottom * fold, bottom)
        part_left = max(tile.window_left + part.left * fold, left)
        part_right = min(tile.window_left + part.right * fold, right)
        if part_top >= part_bottom or part_left >= part_right:
            return
        origin_top = tile.window_top + part.window_top * fold
        origin_left = tile.window_left + part.window_left * fold
        cropped = values[
            :,
            :,
            (part_top - origin_top) * scale : (part_bottom - origin_top) * scale,
            (part_left - origin_left) * scale : (part_right - origin_left) * scale,
        ]
        if not mosaic.put(_scaled(core, scale), part_top * scale, part_left * scale, self.shrink(cropped)):
            raise NonFiniteError(
                "the network gives NaN or infinity in float32: "
                "its weights are damaged or not meant for pictures"
            )

    def _finite(self, values: Tensor, repeat: Callable[[Engine], Tensor]) -> Tensor:
        """The values, in half precision computed again where they are not finite.

        What float32 gives is looked through when it is put into the picture; a tail keeps what is not finite.
        """
        if self.engine.dtype == torch.float32 or _is_finite(values):
            return values
        self.redone += 1
        log.warning("%s gave values that are not finite: computed again in float32", self.engine.dtype)
        return repeat(self.exact_engine())

    def _tell(self, share_of_window: float) -> None:
        self.progress((self._windows_done + share_of_window) / len(self.plan.windows))


def _is_finite(values: Tensor) -> bool:
    """Whether (1, C, h, w) has no NaN and no infinity; a sum has one where a value is, and reads all once."""
    if values.device.type == "cpu":
        host = cast(NDArray[np.float32], values.numpy())
        finite: list[bool] = []
        for_rows(lambda rows: finite.append(is_finite(host[:, :, rows])), host.shape[2], host.size)
        return all(finite)
    return math.isfinite(values.sum().item()) or bool(torch.isfinite(values).all())


def _reach(tile: Tile, core: Tile, fade: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) that a tile delivers: its core, and beyond the seams of `core` the fade."""
    return (
        max(tile.top - fade, 0) if tile.top == core.top else tile.top,
        min(tile.bottom + fade, shape[0]) if tile.bottom == core.bottom else tile.bottom,
        max(tile.left - fade, 0) if tile.left == core.left else tile.left,
        min(tile.right + fade, shape[1]) if tile.right == core.right else tile.right,
    )


def _meets(part: Tile, tile: Tile, fold: int, fade: int) -> bool:
    """Whether a tile of the tail, in feature pixels of the window, touches what the tile may deliver."""
    top, left = tile.window_top + part.top * fold, tile.window_left + part.left * fold
    bottom, right = top + part.height * fold, left + part.width * fold
    return (
        bottom > tile.top - fade
        and top < tile.bottom + fade
        and right > tile.left - fade
        and left < tile.right + fade
    )


def _quarters(tile: Tile, multiple: int) -> list[Tile]:
    """The core's quarters, without windows; halves where one side is too short to cut."""
    size = max(-(-max(tile.height, tile.width) // (2 * multiple)) * multiple, multiple)
    parts = plan_tiles(tile.height, tile.width, size, 0, multiple)
    return [
        Tile(tile.top + part.top, tile.left + part.left, part.height, part.width, 0, 0, 0, 0)
        for part in parts
    ]


def _scaled(core: Tile, scale: int) -> Tile:
    """The core in output pixels; its window no longer matters."""
    return Tile(core.top * scale, core.left * scale, core.height * scale, core.width * scale, 0, 0, 0, 0)


def _pad(pixels: Samples, multiple: int) -> Samples:
    """As `esrgan_torch.networks.base.pad_to_multiple`, for (H, W, C)."""
    for axis in (0, 1):
        missing = -pixels.shape[axis] % multiple
        if missing:
            widths = [(0, 0)] * 3
            widths[axis] = (0, missing)
            pixels = np.pad(pixels, widths, mode="reflect" if missing < pixels.shape[axis] else "edge")
    return pixels


def _ignore(_: float) -> None:
    """What is computed again does not move the progress."""
