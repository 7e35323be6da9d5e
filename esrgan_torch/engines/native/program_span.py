"""SPAN as a program."""

import torch
from torch import nn

from esrgan_torch.engines.describing import PICTURE, RESULT, Activation, Describing, Kind
from esrgan_torch.engines.native.library import Program
from esrgan_torch.engines.native.program import Builder
from esrgan_torch.networks.span import RGB_MEAN, RGB_RANGE, SPAN


def span_program(model: SPAN, lanes: int) -> Program:
    """SPAN's trunk, for vectors of so many floats."""
    builder = Builder(lanes)
    describe_span(model, builder)
    return builder.program()


def describe_span(model: SPAN, builder: Describing) -> None:
    """SPAN's trunk: one phase, so that a few rows of each map exist at a time.

    The first convolution's and the first block's rows wait for the last operations, which read them again:
    some hundred rows.
    """
    config, features = model.config, model.config.features
    large = config.out_channels * config.scale**2
    builder.map(config.in_channels, Kind.GIVEN)
    builder.map(large, Kind.GIVEN)
    picture = builder.map(config.in_channels)
    mean = torch.tensor(RGB_MEAN, dtype=torch.float32, device="cpu")
    normalised = (-mean, torch.full_like(mean, RGB_RANGE)) if config.normalised else None
    builder.load(PICTURE, picture, config.in_channels, normalised=normalised)
    first = builder.map(features)
    builder.convolution(_plain(model.conv_1), [picture], first, [0])
    last = 1  # number of the operation before
    results, starts = [first], [first]
    for block in model.blocks():
        source, start, middle, target = results[-1], *[builder.map(features) for _ in range(3)]
        builder.convolution(_plain(block.c1_r), [source], start, [last], Activation.SILU)
        builder.convolution(_plain(block.c2_r), [start], middle, [last + 1], Activation.SILU)
        builder.convolution(
            _plain(block.c3_r), [middle], target, [last + 2], Activation.GATE, [(1.0, source)]
        )
        results.append(target)
        starts.append(start)
        last += 3
    second, joined = builder.map(features), builder.map(features)
    builder.convolution(_plain(model.conv_2), [results[-1]], second, [last])
    maps = [first, second, results[1], starts[-1]]
    # what the second convolution's result needs is there, and so are the other three maps
    builder.convolution(model.conv_cat, maps, joined, [last + 1], widths=[features] * 4)
    builder.convolution(_plain(model.upsampler[0]), [joined], RESULT, [last + 2])
    builder.phase(last + 4)


def _plain(layer: nn.Module) -> nn.Conv2d:
    """The form that runs has plain convolutions."""
    assert isinstance(layer, nn.Conv2d)
    return layer
