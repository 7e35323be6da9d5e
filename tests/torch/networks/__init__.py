"""Small networks with weights of the size that trained ones have, so that rounding shows as it does there."""

import torch
from torch import nn

from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RRDBNet
from esrgan_torch.networks.span import RGB_RANGE, SPAN


def small_rrdb(seed: int = 0, **sizes: int) -> RRDBNet:
    torch.manual_seed(seed)
    return shaken(RRDBNet(**{"features": 8, "blocks": 2, "growth": 4, **sizes}))


def small_compact(seed: int = 0, **sizes: int) -> CompactNet:
    torch.manual_seed(seed)
    return shaken(CompactNet(**{"features": 8, "convolutions": 3, **sizes}))


def small_span(seed: int = 0, **sizes: int) -> SPAN:
    torch.manual_seed(seed)
    model = shaken(SPAN(**{"features": 8, **sizes}))
    if (
        model.config.normalised
    ):  # else what is normalised to ±127 would make pictures a hundred times too bright
        model.conv_1.weight /= RGB_RANGE
    return model


def shaken(model):
    """Biases too are random, so that a value taken from the wrong side of a border is seen."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.uniform_(module.bias, -0.3, 0.3)
    return model.eval().requires_grad_(False)
