"""Weights that a training run starts with."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import cast

import torch
from torch import Tensor, nn

from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.span import RGB_MEAN, RGB_RANGE, SPAB, SPAN
from esrgan_torch.networks.span_training import SPANTraining


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


_SPAN_NOISE = 0.3  # of MSRA's deviation, in the convolutions of the blocks
_SPAN_FIRST_GAIN = 3.0  # of MSRA's deviation: photographs vary little within what the first convolution sees
# what the blocks' convolutions give in the middle: there SiLU and attention are neither flat nor straight
_SPAN_LEVEL = 2.0
_GRAY = 0.45  # mean of photographs


def start_as_enlargement(network: Generator) -> None:
    """A `SPAN` that starts as bilinear enlargement, with blocks that pass features on.

    Three features carry the picture itself past the blocks to the last convolution, which interpolates; what
    else arrives there has the weight 0 at first. A SPAN has no skip of the picture as a CompactNet has, and
    with PyTorch's initial weights it learns to pass the picture on before it learns anything else. The
    convolutions of the blocks are the identity plus noise, as in `start_as_identity`, about a level at which
    attention lets through what comes: with MSRA's weights and no level it was 0.3 dB behind after 300 steps.

    Args:
        network: a SPAN or its training form, which takes the same weights in branches.
    """
    if isinstance(network, SPANTraining):
        plain = SPAN(**asdict(network.config))
        start_as_enlargement(plain)
        network.adopt(plain)
        return
    assert isinstance(network, SPAN)
    convolutions = {name: cast(nn.Conv2d, layer) for name, layer in network.convolutions().items()}
    for convolution in convolutions.values():
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        nn.init.zeros_(cast(Tensor, convolution.bias))
    carried = torch.arange(min(network.in_channels, network.out_channels, network.config.features))
    first, joining, last = (convolutions[name] for name in ("conv_1", "conv_cat", "upsampler.0"))
    with torch.no_grad():
        offset = 0.0
        for block in network.blocks():
            offset = _start_block(block, offset)
        first.weight.mul_(_SPAN_FIRST_GAIN)
        for convolution, centre in ((first, 1), (joining, 0)):
            convolution.weight[carried] = 0
            convolution.weight[carried, carried, centre, centre] = 1
        last.weight.zero_()
        taps = bilinear_taps(network.scale).flatten(0, 1)
        for channel in range(len(carried)):
            last.weight.unflatten(0, (network.out_channels, -1))[channel, :, channel] = taps
        _centre(network, first, last, len(carried))


def _start_block(block: SPAB, offset: float) -> float:
    """Make a block hand on about 1.1 times what comes, with an offset: that of the input -> the result's."""
    gate = 1 / (1 + math.exp(-_SPAN_LEVEL))
    activated = _SPAN_LEVEL * gate
    for layer, before in ((block.c1_r, offset), (block.c2_r, activated), (block.c3_r, activated)):
        convolution = cast(nn.Conv2d, layer)
        channels = torch.arange(convolution.out_channels)
        convolution.weight.mul_(_SPAN_NOISE)
        convolution.weight[channels, channels, 1, 1] += 1
        cast(Tensor, convolution.bias).fill_(_SPAN_LEVEL - before)
    return (_SPAN_LEVEL + offset) * (gate - 0.5)


def _centre(network: SPAN, first: nn.Conv2d, last: nn.Conv2d, carried: int) -> None:
    """Make the features those of a picture around 0, and the result's colours right again."""
    first_bias, last_bias = cast(Tensor, first.bias), cast(Tensor, last.bias)
    if network.config.normalised:
        first.weight.div_(RGB_RANGE)
        means = torch.tensor(RGB_MEAN[:carried])
        last_bias.unflatten(0, (network.out_channels, -1))[:carried] = means[:, None]
    else:
        first_bias[carried:] = -_GRAY * first.weight[carried:].sum((1, 2, 3))


def bilinear_taps(scale: int) -> Tensor:
    """Weights of the 3x3 pixels around for each of the scale x scale pixels in one's place."""
    places = [(place + 0.5) / scale - 0.5 for place in range(scale)]  # from the pixel's centre
    line = torch.tensor([[max(0.0, 1 - abs(place - tap)) for tap in (-1, 0, 1)] for place in places])
    return torch.einsum("yi,xj->yxij", line, line)


Start = Callable[[Generator], None]

# by network; each has "scaled" unless it says otherwise
STARTS: Mapping[str, Mapping[str, Start]] = MappingProxyType(
    {
        "CompactNet": {"scaled": scale_initial_weights, "identity": start_as_identity},
        # scaled: attention computed from small numbers is next to 0, and so is what it is multiplied with
        "SPAN": {"enlargement": start_as_enlargement},
    }
)


def starts_of(kind: str) -> Mapping[str, Start]:
    """The weights that a run of this network can start with, by the name that `network.init` takes."""
    return STARTS.get(kind, {"scaled": scale_initial_weights})
