"""Carry out a plan: one plane of a picture through an engine, tile by tile.

What goes wrong in a tile is met there and reported: out of memory divides the tile, values that are not
finite are computed again in float32. Nothing else is caught: a tile that fails fails the picture.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from esrgan_torch.arithmetic import ceil_div, round_up
from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.computing import computing
from esrgan_torch.engines.devices import is_out_of_memory, release_memory
from esrgan_torch.engines.host import for_rows
from esrgan_torch.errors import OutOfMemoryError
from esrgan_torch.images.picture import Samples, white
from esrgan_torch.images.planes import padded
from esrgan_torch.quantise import Canvas, CanvasType
from esrgan_torch.tiling.means import Course, GrayThroughColour, Means
from esrgan_torch.tiling.modes import MINIMUM_SIZE, Box, Tile, plan_tiles
from esrgan_torch.tiling.mosaic import CrossFadedMosaic, JoinedMosaic
from esrgan_torch.tiling.plan import Plan
from esrgan_torch.tiling.rounding import is_finite
from esrgan_torch.tiling.rows import ROWS, RowRun, check_finite
from esrgan_torch.watch import Watch

log = logging.getLogger("esrgan_torch")

TRUNK_SHARE = 0.9  # of a window's time, for the progress: 92 % of RRDB-23, 76 % of RRDB-6


@dataclass(frozen=True)
class _Window:
    """A window whose trunk is computed.

    Args:
        core: of the plan's tile.
        reach: what this window delivers of it, and of the seams around that are mixed.
        place: what was read.
        features: of `place`, as `Engine.trunk` gives them.
    """

    core: Box
    reach: Box
    place: Box
    features: Tensor


class Run:
    """One plane of a picture on its way through the network.

    Args:
        plane: (H, W, 1 or 3), uint8, uint16, or float32 from 0 to 1.
        plan: what to do.
        means: what it is done with.
        course: told of what went otherwise.
        watch: told the share that is done, from 0 to 1.
        dtype: of the result; None: the plane's. In float32 values lie in 0 to 1, neither rounded nor cut off
            where the network overshoots.
    """

    def __init__(
        self,
        plane: Samples,
        plan: Plan,
        means: Means,
        course: Course,
        watch: Watch,
        dtype: CanvasType | None = None,
    ) -> None:
        self.plan, self.means, self.course, self.watch = plan, means, course, watch
        self.engine = means.engine
        self.size = plane.shape[:2]
        self.pixels = padded(plane, self.engine.unshuffle)
        self.whole = Box(0, 0, *self.pixels.shape[:2])
        gray = means.model.in_channels == 3 and plane.shape[2] == 1
        self.through_colour = GrayThroughColour() if gray else None
        dtype = plane.dtype if dtype is None else dtype
        large = self.whole.scaled(self.engine.scale)
        shape = large.height, large.width, plane.shape[2]
        self.mosaic = (
            CrossFadedMosaic(*shape, dtype, plan.fade * self.engine.scale)
            if plan.fade
            else JoinedMosaic(*shape, dtype)
        )
        self.tail_size = plan.tail_size  # less once memory has run out
        self.windows_done = 0

    def picture(self) -> Canvas:
        """The enlargement by the network's scale, (H * scale, W * scale, 1 or 3).

        Raises:
            OutOfMemoryError: a tile of 16 pixels does not fit either, or dividing is not allowed.
            NonFiniteError: the network gives NaN or infinity in float32 too.
        """
        if self.plan.by_rows:
            self._by_rows()
        with computing(self.engine.device):  # once for all parts of it
            for tile in () if self.plan.by_rows else self.plan.windows:
                self._window(tile.core, tile)
                self.windows_done += 1
                self._tell(0.0)
        height, width = self.size
        return self.mosaic.finish()[: height * self.engine.scale, : width * self.engine.scale]

    def _by_rows(self) -> None:
        engine = self.means.row_engine()
        assert engine is not None, "a plan by rows needs its engine"
        for tile in self.plan.windows:
            strip = RowRun(
                engine,
                self.means.model,
                self.whole.height,
                tile,
                self.pixels.shape[2],
                self.mosaic.picture.dtype,
            )
            scale, columns = self.engine.scale, tile.window.columns
            given = (self.pixels[top : top + ROWS, columns] for top in range(0, self.whole.height, ROWS))
            top = 0
            for band in strip.bands(given, self._tell):
                place = self.mosaic.picture[top : top + len(band)]
                place[:, tile.core.left * scale : tile.core.right * scale] = band
                top += len(band)
            self.windows_done += 1
            self._tell(0.0)

    def _window(self, core: Box, tile: Tile) -> None:
        """Compute `tile`, whose core is `core` or a part of it that memory allows."""
        features = self._features(tile.window)
        if features is not None:
            reach = _reach(tile.core, core, self.plan.fade, self.whole)
            self._tail(_Window(core, reach, tile.window, features))
            return
        release_memory(self.engine.device)
        if not self.means.divisible:
            raise OutOfMemoryError(
                f"the trunk of {tile.window.height}x{tile.window.width} pixels does not fit in memory; "
                "use a smaller picture, or allow overlapping tiles"
            )
        if max(tile.core.height, tile.core.width) < MINIMUM_SIZE:
            raise OutOfMemoryError(
                f"a tile of {tile.core.height}x{tile.core.width} pixels and the {self.plan.overlap} around "
                "it do not fit in memory; free memory or choose another device"
            )
        self.course.divided += 1
        if self.plan.overlap < self.means.model.receptive_field:
            self.course.exact = False
        log.warning("out of memory at %dx%d pixels: divided", tile.window.height, tile.window.width)
        for part in _quarters(tile.core, self.engine.unshuffle):
            self._window(core, Tile(part, part.grown(self.plan.overlap, self.whole)))

    def _features(self, window: Box) -> Tensor | None:
        """The trunk's result for a window; None when it does not fit in memory."""
        # divided by NumPy: PyTorch would wake its threads, which then wait busily while OpenVINO computes
        values = self.pixels[window.rows, window.columns].astype(np.float32)
        values /= np.float32(white(self.pixels))
        given = torch.from_numpy(values).permute(2, 0, 1)[None]

        def attempt() -> Tensor:
            batch = given.to(self.engine.device)
            if self.through_colour:
                batch = self.through_colour.grow(batch)
            features = self.engine.trunk(batch, lambda done: self._tell(TRUNK_SHARE * done))
            return self._finite(features, lambda engine: engine.trunk(batch, _ignore))

        while True:
            features = self._unless_memory_runs_out(attempt)
            if features is not None:
                return features
            release_memory(self.engine.device)
            if not self.engine.shrink():
                return None

    def _tail(self, window: _Window) -> None:
        height, width = window.features.shape[-2:]
        size = self.tail_size or max(height, width)
        parts = plan_tiles(height, width, size, self.means.model.tail_halo)
        for number, part in enumerate(parts, start=1):
            self._tail_part(window, part)
            self._tell(TRUNK_SHARE + (1 - TRUNK_SHARE) * number / len(parts))

    def _tail_part(self, window: _Window, part: Tile) -> None:
        """Compute a part of the tail, in feature pixels of the window, and put down what it delivers."""
        place = self._in_picture(part.core, window).cut_to(window.reach)
        if place.is_empty():  # it lies wholly in the context that the trunk needed
            return
        cut = window.features[:, :, part.window.rows, part.window.columns]
        if self._put_at_once(window, part, place, cut):
            return
        values = self._unless_memory_runs_out(
            lambda: self._finite(self.engine.tail(cut), lambda engine: engine.tail(cut))
        )
        if values is not None:
            origin = self._in_picture(part.window, window)
            inside = place.moved(-origin.top, -origin.left).scaled(self.engine.scale)
            self._put(window.core, place, values[:, :, inside.rows, inside.columns])
            return
        release_memory(self.engine.device)
        longer = max(part.core.height, part.core.width)
        if longer < 2:
            raise OutOfMemoryError("the tail of a single pixel does not fit in memory")
        self.course.divided += 1
        log.warning(
            "out of memory in a tail tile of %dx%d pixels: divided", part.core.height, part.core.width
        )
        self.tail_size = ceil_div(longer, 2)
        features = Box(0, 0, *window.features.shape[-2:])
        for quarter in _quarters(part.core, 1):
            self._tail_part(window, Tile(quarter, quarter.grown(self.means.model.tail_halo, features)))

    def _in_picture(self, box: Box, window: _Window) -> Box:
        """A box in feature pixels of the window, in input pixels of the picture."""
        return box.scaled(self.engine.unshuffle).moved(window.place.top, window.place.left)

    def _put_at_once(self, window: _Window, part: Tile, place: Box, features: Tensor) -> bool:
        """Let the engine write whole numbers where they belong, if it can and nothing is to be cut off."""
        whole = part.core == part.window and place == self._in_picture(part.core, window)
        if not whole or self.through_colour or not isinstance(self.mosaic, JoinedMosaic):
            return False
        large = place.scaled(self.engine.scale)
        pixels = self.mosaic.whole_numbers(large.top, large.left, large.height, large.width)
        finite = None if pixels is None else self.engine.tail_pixels(features, pixels)
        if finite is not None:
            check_finite(finite)
        return finite is not None

    def _put(self, core: Box, place: Box, values: Tensor) -> None:
        """Put down the enlargement of `place`, a part of what the tile with that core delivers."""
        scale = self.engine.scale
        large = place.scaled(scale)
        if self.through_colour:
            values = self.through_colour.shrink(values)
        check_finite(self.mosaic.put(core.scaled(scale), large.top, large.left, values))

    def _unless_memory_runs_out(self, attempt: Callable[[], Tensor]) -> Tensor | None:
        """What the attempt gives; None, with its tensors let go of, when memory ran out in it."""
        try:
            return attempt()
        except RuntimeError as error:
            if self.watch.caused(error) or not is_out_of_memory(error):
                raise
        return None  # outside the handler, where the traceback no longer holds the attempt's tensors

    def _finite(self, values: Tensor, repeat: Callable[[Engine], Tensor]) -> Tensor:
        """The values, in half precision computed again where they are not finite.

        What float32 gives is looked through when it is put into the picture; a tail keeps what is not finite.
        """
        if self.engine.dtype == torch.float32 or _is_finite(values):
            return values
        self.course.redone += 1
        log.warning("%s gave values that are not finite: computed again in float32", self.engine.dtype)
        return repeat(self.means.exact_engine())

    def _tell(self, share_of_window: float) -> None:
        self.watch((self.windows_done + share_of_window) / len(self.plan.windows))


def _is_finite(values: Tensor) -> bool:
    """Whether (1, C, h, w) has no NaN and no infinity; a sum has one where a value is, and reads all once."""
    if values.device.type == "cpu":
        host = cast(NDArray[np.float32], values.numpy())
        finite: list[bool] = []
        for_rows(lambda rows: finite.append(is_finite(host[:, :, rows])), host.shape[2], host.size)
        return all(finite)
    return math.isfinite(values.sum().item()) or bool(torch.isfinite(values).all())


def _reach(part: Box, core: Box, fade: int, whole: Box) -> Box:
    """What a part of `core` delivers: itself, and beyond the seams of `core` the fade."""
    top = part.top - fade * (part.top == core.top)
    left = part.left - fade * (part.left == core.left)
    bottom = part.bottom + fade * (part.bottom == core.bottom)
    right = part.right + fade * (part.right == core.right)
    return Box(top, left, bottom - top, right - left).cut_to(whole)


def _quarters(box: Box, multiple: int) -> list[Box]:
    """The quarters of a box; halves where one side is too short to cut."""
    size = max(round_up(max(box.height, box.width), 2 * multiple) // 2, multiple)
    return [
        tile.core.moved(box.top, box.left) for tile in plan_tiles(box.height, box.width, size, 0, multiple)
    ]


def _ignore(_: float) -> None:
    """What is computed again does not move the progress."""
