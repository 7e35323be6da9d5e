"""Small networks with weights of the size that trained ones have, so that rounding shows as it does there."""

import torch
from torch import nn

from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RRDBNet
from esrgan_torch.networks.span import SPAN


def small_rrdb(seed: int = 0, **sizes: int) -> RRDBNet:
    torch.manual_seed(seed)
    return shaken(RRDBNet(**{"features": 8, "blocks": 2, "growth": 4, **sizes}))


def small_compact(seed: int = 0, **sizes: int) -> CompactNet:
    torch.manual_seed(seed)
    return shaken(CompactNet(**{"features": 8, "convolutions": 3, **sizes}))


def small_span(seed: int = 0, **sizes: int) -> SPAN:
    torch.manual_seed(seed)
    return shaken(SPAN(**{"features": 8, **sizes}))


def shaken(model):
    """Biases too are random, so that a value taken from the wrong side of a border is seen."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.uniform_(module.bias, -0.3, 0.3)
    return model.eval().requires_grad_(False)
