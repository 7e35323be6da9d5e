"""CompactNet as a program."""

from torch import nn

from esrgan_torch.engines.describing import PICTURE, RESULT, Describing, Kind
from esrgan_torch.engines.native.library import Program
from esrgan_torch.engines.native.program import Builder
from esrgan_torch.networks.compact import CompactNet


def compact_program(model: CompactNet, lanes: int) -> Program:
    """CompactNet's trunk, for vectors of so many floats."""
    builder = Builder(lanes)
    describe_compact(model, builder)
    return builder.program()


def describe_compact(model: CompactNet, builder: Describing) -> None:
    """CompactNet's trunk: one phase, so that a few rows of each map exist at a time."""
    config = model.config
    large = config.out_channels * config.scale**2
    builder.map(config.in_channels, Kind.GIVEN)
    builder.map(large, Kind.GIVEN)
    source = builder.map(config.in_channels)
    builder.load(PICTURE, source, config.in_channels)
    convolutions = [layer for layer in model.body if isinstance(layer, nn.Conv2d)]
    slopes = [layer.weight for layer in model.body if isinstance(layer, nn.PReLU)]
    for number, (layer, slope) in enumerate(zip(convolutions, slopes, strict=False)):
        target = builder.map(config.features)
        builder.convolution(layer, [source], target, [number], slope)
        source = target
    enlarged = builder.map(large)
    last = len(convolutions)
    builder.load(PICTURE, enlarged, large, repeat=config.scale**2, waits=[last - 1])
    builder.convolution(convolutions[-1], [source], RESULT, [last - 1, last], residuals=[(1.0, enlarged)])
    builder.phase(last + 2)
