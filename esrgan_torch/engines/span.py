"""SPAN by PyTorch's operators: in place where the plain network makes new maps."""

import copy
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from esrgan_torch.engines.base import Engine, channels_last
from esrgan_torch.networks.span import BLOCKS, SPAB, SPAN, normalised
from esrgan_torch.watch import Progress


class SPANEngine(Engine):
    """SPAN with few maps at a time; its receptive field is small enough for exact tiles.

    The four results that the network joins are reduced as they come: a 1x1 convolution of joined maps is
    the sum of one of each, kept in float32. The attention, sigmoid(x) - 1/2, is computed as tanh(x / 2) / 2,
    which is the same number without a difference of two that are nearly equal: in bfloat16 that would round
    attentions of 0.1 by 2 %.
    """

    def __init__(self, model: SPAN, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(model, device, dtype)
        self._channels = model.config.features
        self._large = model.out_channels * model.scale**2
        self._normalised = model.config.normalised
        self._network = channels_last(copy.deepcopy(model).to(device, dtype).requires_grad_(False))
        self._parts = [
            part.contiguous() for part in torch.split(self._network.conv_cat.weight, self._channels, dim=1)
        ]

    def _trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        network = self._network
        picture = normalised(batch) if self._normalised else batch
        features = network.conv_1(picture.to(self.dtype).contiguous(memory_format=torch.channels_last))
        joined = F.conv2d(features, self._parts[0], network.conv_cat.bias).float()
        for number, block in enumerate(network.blocks(), start=1):
            features = self._block(block, features, joined if number == BLOCKS else None)
            if number == 1:
                self._join(joined, 2, features)
            progress(number / (BLOCKS + 1))
        self._join(joined, 1, network.conv_2(features))
        del features
        large = network.upsampler(joined.to(self.dtype)).float()
        progress(1.0)
        return large

    def _block(self, block: SPAB, features: Tensor, joined: Tensor | None) -> Tensor:
        """The block's result; what its first convolution gives is added to `joined` where that is given."""
        start = F.silu(block.c1_r(features), inplace=True)
        if joined is not None:
            self._join(joined, 3, start)
        second = F.silu(block.c2_r(start), inplace=True)
        del start
        third = cast(Tensor, block.c3_r(second))
        del second
        attention = (third * 0.5).tanh_().mul_(0.5)
        return third.add_(features).mul_(attention)

    def _join(self, joined: Tensor, place: int, features: Tensor) -> None:
        """Add the part of `conv_cat` that belongs to one of the joined maps."""
        joined.add_(F.conv2d(features, self._parts[place]))

    def _tail(self, features: Tensor) -> Tensor:
        return self._network.tail(features)

    def trunk_bytes(self, height: int, width: int) -> int:
        # the sum in float32, three maps of a block, and one that the library may need; then the large picture
        block = self._channels * (4 + 4 * self.dtype.itemsize)
        last = self._channels * (4 + self.dtype.itemsize) + self._large * (4 + self.dtype.itemsize)
        return max(block, last) * height * width

    def tail_bytes(self, height: int, width: int) -> int:
        return 2 * self._large * 4 * height * width
