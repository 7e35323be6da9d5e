"""The shape of every tensor of a network, by arithmetic: building the network to ask it takes a second."""

from collections.abc import Mapping

from esrgan_torch.networks.compact import CompactNetConfig
from esrgan_torch.networks.rrdb import RRDBNetConfig
from esrgan_weights.layouts import BASICSR, compact_modules

Shapes = Mapping[str, tuple[int, ...]]


def shapes_of(config: RRDBNetConfig | CompactNetConfig) -> Shapes:
    """This project's name of each tensor -> its shape, in the order of the network's graph."""
    return _rrdb(config) if isinstance(config, RRDBNetConfig) else _compact(config)


def _rrdb(config: RRDBNetConfig) -> Shapes:
    features, growth = config.features, config.growth
    first, *inner, last = BASICSR.modules(config.blocks, config.upsamplings)
    shapes = _convolution(first, config.in_channels * config.unshuffle**2, features)
    for module in inner:
        number = int(module[-1]) if ".rdb" in module else 0  # of the convolution in its dense block
        inputs = features + growth * max(number - 1, 0)
        shapes |= _convolution(module, inputs, growth if 1 <= number <= 4 else features)
    return shapes | _convolution(last, features, config.out_channels)


def _compact(config: CompactNetConfig) -> Shapes:
    modules = compact_modules(config.convolutions)
    shapes: dict[str, tuple[int, ...]] = {}
    for place, (module, kinds) in enumerate(modules):
        if len(kinds) == 1:
            shapes[f"{module}.weight"] = (config.features,)
            continue
        inputs = config.features if place else config.in_channels
        last = place == len(modules) - 1
        shapes |= _convolution(
            module, inputs, config.out_channels * config.scale**2 if last else config.features
        )
    return shapes


def _convolution(module: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{module}.weight": (outputs, inputs, 3, 3), f"{module}.bias": (outputs,)}
