"""CompactNet by PyTorch's operators."""

import copy

import torch
from torch import Tensor

from esrgan_torch.engines.base import Engine, channels_last
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.watch import Progress


class CompactEngine(Engine):
    """CompactNet as it is, channels_last; its receptive field is small enough for exact tiles."""

    def __init__(self, model: CompactNet, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(model, device, dtype)
        self._channels = model.config.features
        self._large = model.out_channels * model.scale**2
        self._network = channels_last(copy.deepcopy(model).to(device, dtype).requires_grad_(False))

    def _trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        features = batch.to(self.dtype).contiguous(memory_format=torch.channels_last)
        layers = len(self._network.body)
        for number, layer in enumerate(self._network.body, start=1):
            features = layer(features)
            progress(number / layers)
        # the skip is added in float32: what the network leaves as it is stays as it is
        return self._add_skip(features.float(), batch)

    def _add_skip(self, features: Tensor, batch: Tensor) -> Tensor:
        """features += every channel of the picture for all its scale² outputs."""
        features.unflatten(1, (batch.shape[1], self.scale**2)).add_(batch.unsqueeze(2))
        return features

    def _tail(self, features: Tensor) -> Tensor:
        return self._network.tail(features)

    def trunk_bytes(self, height: int, width: int) -> int:
        values = 3 * self._channels * self.dtype.itemsize + 2 * self._large * 4
        return values * height * width

    def tail_bytes(self, height: int, width: int) -> int:
        return 2 * self._large * 4 * height * width
