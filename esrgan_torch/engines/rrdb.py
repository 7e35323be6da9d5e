"""RRDBNet by PyTorch's operators."""

import copy
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from esrgan_torch.arithmetic import ceil_div
from esrgan_torch.engines.base import Engine, Layer, channels_last
from esrgan_torch.networks.rrdb import RESIDUAL_SCALE, SLOPE, ResidualDenseBlock, RRDBNet
from esrgan_torch.watch import Progress

BLOCK_REACH = 5  # pixels around that a dense block sees: one a convolution
SMALLEST_BAND = 16
BAND_BYTES = 192 * 2**20  # of temporary values; more was slower at 512x512, less repeats too many rows
# glibc keeps freed blocks of up to 32 MiB for later ones, in an order that differs from run to run; without
# that the trunk took 339 MB where 403 to 471 MB were seen
HEAP_BYTES = 128 * 2**20


class RRDBEngine(Engine):
    """RRDBNet with the residual stream updated in place, in bands of rows.

    Only two planes of the trunk exist at full size, the stream and the start of the current RRDB, both in
    float32: 2 * features * 4 bytes a feature pixel, where the plain network holds about ten. A dense block
    works on a band of rows and the 5 rows around it, so its temporary values stay within `BAND_BYTES`.

    In half precision only the dense blocks and the tail are rounded. Keeping the stream in float32 gains
    0.5 to 2 dB on RRDB-23, the first and the body's last convolution in float32 another 2 to 3 dB, at 0.2 %
    of the cost.
    """

    def __init__(self, model: RRDBNet, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(model, device, dtype)
        self._band_bytes = BAND_BYTES
        self._features = model.config.features
        self._growth = model.config.growth
        self._prepare(model)

    def _prepare(self, model: RRDBNet) -> None:
        """Copy the weights into the layers that the trunk and the tail run.

        A block is given a window that `_window` and `_fill` made, and returns what it adds. The window has
        room for `_window_channels`: the features, and those that the block may fill.
        """
        network = copy.deepcopy(model).to(self.device, self.dtype).requires_grad_(False)
        network.conv_first = copy.deepcopy(model.conv_first).to(self.device, torch.float32)
        network.conv_body = copy.deepcopy(model.conv_body).to(self.device, torch.float32)
        self._network = channels_last(network)
        self._window_channels = self._features + 4 * self._growth
        self._first: Layer = network.conv_first
        self._body: Layer = network.conv_body
        self._rrdbs: list[tuple[Layer, ...]] = [
            tuple(partial(dense_residual, block) for block in (rrdb.rdb1, rrdb.rdb2, rrdb.rdb3))
            for rrdb in network.rrdbs()
        ]

    def _trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        folded = F.pixel_unshuffle(batch, self.unshuffle).contiguous(memory_format=torch.channels_last)
        stream = self._first(folded)
        start = torch.empty_like(stream)
        height, width = stream.shape[-2:]
        rows = min(self._band_rows(height, width) + 2 * BLOCK_REACH, height)
        space = torch.empty(rows * width * self._window_channels, device=self.device, dtype=self.dtype)
        for number, blocks in enumerate(self._rrdbs, start=1):
            start.copy_(stream)
            for block in blocks:
                self._add_residual(block, stream, space)
            torch.add(start, stream, alpha=RESIDUAL_SCALE, out=stream)
            progress(number / len(self._rrdbs))
        # the first convolution is computed again rather than kept: 0.01 % of the work against a third plane
        return self._in_bands(self._body, stream, start).add_(self._first(folded))

    def _add_residual(self, block: Layer, stream: Tensor, space: Tensor) -> None:
        """stream += 0.2 * block(stream), band by band, with `space` for the bands' windows."""
        height, width = stream.shape[-2:]
        rows = self._band_rows(height, width)
        above: Tensor | None = None  # rows over the band as they were before the last band changed them
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            window_top = max(top - BLOCK_REACH, 0)
            window_bottom = min(bottom + BLOCK_REACH, height)
            window = self._window(space, window_bottom - window_top, width)
            self._fill(window, top - window_top, stream[:, :, top:window_bottom])
            if above is not None:
                self._fill(window, 0, above)
            if bottom < height:
                above = stream[:, :, bottom - min(BLOCK_REACH, bottom) : bottom].clone()
            residual = block(window)
            stream[:, :, top:bottom].add_(
                residual[:, :, top - window_top : bottom - window_top], alpha=RESIDUAL_SCALE
            )

    def _window(self, space: Tensor, rows: int, width: int) -> Tensor:
        """The part of `space` that a window of this size takes, as the blocks want it."""
        used = space[: rows * width * self._window_channels]
        return used.view(1, rows, width, self._window_channels).permute(0, 3, 1, 2)

    def _fill(self, window: Tensor, row: int, values: Tensor) -> None:
        """Write rows of the stream, (1, features, h, w), into the window from `row` on."""
        window[:, : self._features, row : row + values.shape[2]] = values

    def _in_bands(self, convolution: Layer, source: Tensor, result: Tensor) -> Tensor:
        """result = convolution(source), in bands, so that no further plane is needed."""
        height, width = source.shape[-2:]
        rows = self._band_rows(height, width)
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            window_top = max(top - 1, 0)
            values = convolution(source[:, :, window_top : bottom + 1])
            result[:, :, top:bottom] = values[:, :, top - window_top : bottom - window_top]
        return result

    def _tail(self, features: Tensor) -> Tensor:
        network = self._network
        narrow = features.to(self.dtype).contiguous(memory_format=torch.channels_last)
        for convolution in network.upsampling_convolutions():
            enlarged = F.interpolate(narrow, scale_factor=2.0, mode="nearest")
            narrow = F.leaky_relu_(convolution(enlarged), SLOPE)
        narrow = F.leaky_relu_(network.conv_hr(narrow), SLOPE)
        return network.conv_last(narrow).float()

    def _row_bytes(self, width: int) -> int:
        """Temporary bytes a row of a band: the dense buffer, a copy of it, the last convolution's result."""
        dense = self._features + 4 * self._growth
        return width * (2 * dense + self._features) * self.dtype.itemsize

    def _band_rows(self, height: int, width: int) -> int:
        rows = max(self._band_bytes // self._row_bytes(width) - 2 * BLOCK_REACH, SMALLEST_BAND)
        bands = ceil_div(height, rows)
        return ceil_div(height, bands)

    def shrink(self) -> bool:
        self._band_bytes //= 2
        return self._band_bytes >= 2**20

    def trunk_bytes(self, height: int, width: int) -> int:
        height, width = height // self.unshuffle, width // self.unshuffle
        planes = 3 * self._features * 4 * height * width
        band = min(self._band_rows(height, width) + 2 * BLOCK_REACH, height) * self._row_bytes(width)
        return planes + band + min(band, HEAP_BYTES)

    def tail_bytes(self, height: int, width: int) -> int:
        # at the last resolution: a convolution's input, its result and a copy in the library's own layout
        return 3 * self._features * self.dtype.itemsize * height * width * (self.scale * self.unshuffle) ** 2


def dense_residual(block: ResidualDenseBlock, dense: Tensor) -> Tensor:
    """What a dense block adds, before its weight.

    Args:
        block: of a features and b growth.
        dense: (1, a + 4 * b, h, w), of which the first a channels are given; the others are filled.
    """
    known = block.conv1.in_channels
    for convolution in (block.conv1, block.conv2, block.conv3, block.conv4):
        grown = F.leaky_relu_(convolution(dense[:, :known]), SLOPE)
        dense[:, known : known + grown.shape[1]] = grown
        known += grown.shape[1]
    return block.conv5(dense)
