"""The moving average of a network's weights, which is what validation and users get."""

import copy

import torch

from esrgan_torch.networks.base import Generator


class MovingAverage:
    """Exponential moving average: average = decay * average + (1 - decay) * weight.

    BasicSR averages parameters only; buffers are copied here. The generators have none.

    Args:
        network: its weights are the start of the average.
        decay: 0.999 in ESRGAN's and Real-ESRGAN's recipes; 0 keeps a plain copy.
    """

    def __init__(self, network: Generator, decay: float) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)

    @torch.no_grad()
    def update(self, network: Generator) -> None:
        """Take in the network's weights of now."""
        for average, weight in zip(self.network.parameters(), network.parameters(), strict=True):
            average.lerp_(weight.detach(), 1 - self.decay)
        for average, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            average.copy_(buffer)
