"""Weights that a training run starts with."""

import torch
from torch import nn

from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.compact import CompactNet


def scale_initial_weights(network: nn.Module, factor: float = 0.1) -> None:
    """MSRA initialisation (He et al. 2015, fan-in) times `factor`, biases 0: ESRGAN, supplement section 2.

    Small initial weights keep deep residual networks stable; PyTorch's global random numbers are used.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, a=0, mode="fan_in")
            with torch.no_grad():
                module.weight.mul_(factor)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def start_as_identity(network: Generator, noise: float = 0.3) -> None:
    """A `CompactNet` that starts as its nearest-neighbour skip, with convolutions that pass features on.

    Each convolution between the first and the last is the identity plus noise, which is a residual
    connection whose sum is already folded into the weights: the plain network trains like one with skips, and
    costs nothing more. The last convolution is 0.

    Args:
        network: a CompactNet.
        noise: of the MSRA deviation, in the convolutions between.
    """
    assert isinstance(network, CompactNet)
    convolutions = [layer for layer in network.body if isinstance(layer, nn.Conv2d)]
    for convolution in convolutions:
        nn.init.kaiming_normal_(convolution.weight, a=0.25)
        assert convolution.bias is not None
        nn.init.zeros_(convolution.bias)
    with torch.no_grad():
        for convolution in convolutions[1:-1]:
            convolution.weight.mul_(noise)
            channels = torch.arange(convolution.out_channels)
            convolution.weight[channels, channels, 1, 1] += 1
        convolutions[-1].weight.zero_()
