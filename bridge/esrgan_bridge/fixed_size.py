"""Copies that take pictures of one size: whether a network has such a size, and can be measured with it."""

import torch

from esrgan_bridge.options import Size
from esrgan_torch.engines.devices import free_memory
from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator

_FLOAT64 = 8  # bytes
_MAPS = 4  # of all features, at once
_ANSWERS = 14  # pictures of results that are held: seven probes, each twice at most
_FEATURES = 64  # of networks that do not say how many they have


def check_shape(shape: Size, model: Generator) -> None:
    """Whether a network takes pictures of this height and width, and can be measured with them here.

    Raises:
        ConfigError: its `unshuffle` does not divide them, or the original in float64 has no room for such a
            picture, which it computes whole.
    """
    if any(side % model.unshuffle for side in shape):
        raise ConfigError(
            f"this network takes heights and widths that {model.unshuffle} divides, not {shape[0]}x{shape[1]}"
        )
    features: int = getattr(model.config, "features", _FEATURES)
    maps = _MAPS * features * (model.scale**2 if model.tail_halo else 1)
    needed = shape[0] * shape[1] * _FLOAT64 * (maps + _ANSWERS * model.out_channels * model.scale**2)
    free = free_memory(torch.device("cpu"))
    if needed > free:
        raise ConfigError(
            f"pictures of {shape[0]}x{shape[1]} take about {needed / 2**30:,.1f} GiB to measure, in float64 "
            f"and untiled, and {free / 2**30:,.1f} GiB are free; give a smaller shape, or convert on another "
            "machine"
        )
