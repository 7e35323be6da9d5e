"""Any network by PyTorch's operators, as its own class computes it."""

import copy

import torch
from torch import Tensor, nn

from esrgan_torch.engines.base import Engine, channels_last
from esrgan_torch.networks.base import Generator
from esrgan_torch.watch import Progress


class PlainEngine(Engine):
    """The network's own `trunk` and `tail` on a copy of it, channels last, all of it in one precision.

    Progress is told, and heeded, after each convolution. What memory it takes the network states itself, see
    `Generator.trunk_values` and `Generator.tail_values`.
    """

    def __init__(self, model: Generator, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(model, device, dtype)
        self._network = channels_last(copy.deepcopy(model).to(device, dtype).requires_grad_(False))
        self._convolutions = [layer for layer in self._network.modules() if isinstance(layer, nn.Conv2d)]

    def _trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        done = 0

        def tell(*_: object) -> None:
            nonlocal done
            done += 1
            progress(min(done / len(self._convolutions), 1.0))

        watched = [layer.register_forward_hook(tell) for layer in self._convolutions]
        try:
            features = batch.to(self.dtype).contiguous(memory_format=torch.channels_last)
            return self._network.trunk(features).float()
        finally:
            for hook in watched:
                hook.remove()

    def _tail(self, features: Tensor) -> Tensor:
        return self._network.tail(features.to(self.dtype)).float()

    def trunk_bytes(self, height: int, width: int) -> int:
        return self._network.trunk_values * self.dtype.itemsize * height * width

    def tail_bytes(self, height: int, width: int) -> int:
        return self._network.tail_values * 4 * height * width
