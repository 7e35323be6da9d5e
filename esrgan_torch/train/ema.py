"""The moving average of a network's weights, which is what validation and users get."""

import copy

import torch

from esrgan_torch.networks.base import Generator


class MovingAverage:
    """Exponential moving average: average = decay * average + (1 - decay) * weight.

    With a decay of 0.999 the weights that a run starts with are still 82 % of the average after 200 steps, so
    a short run would look as if nothing had been learnt. So the decay begins at 2/11 and rises as
    (1 + n) / (10 + n) with the n updates that were made: the average is over about the last ninth of the run
    until that is as long as the decay says. From 8,990 updates on, 0.999 counts as it is.

    BasicSR averages parameters only, with one decay from the first step; buffers are copied here. The
    generators have none.

    Args:
        network: its weights are the start of the average.
        decay: 0.999 in ESRGAN's and Real-ESRGAN's recipes; 0 keeps a plain copy.

    Attributes:
        updates: how many were made; of a resumed run, the steps done before.
    """

    def __init__(self, network: Generator, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.network = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)

    @torch.no_grad()
    def update(self, network: Generator) -> None:
        """Take in the network's weights of now."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for average, weight in zip(self.network.parameters(), network.parameters(), strict=True):
            average.lerp_(weight.detach(), 1 - decay)
        for average, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            average.copy_(buffer)
