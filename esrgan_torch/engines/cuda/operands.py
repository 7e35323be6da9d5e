"""Arguments that the kernels of a `steps.Conv` have in common, in their order."""

from typing import Any

from torch import Tensor

from esrgan_torch.engines.cuda.steps import Conv, Place
from esrgan_torch.engines.cuda.tuning import Launch, chunk_for
from esrgan_torch.networks.rrdb import SLOPE

# arguments that change with the picture: Triton shall not compile again where one of them is a multiple of 16
SIZES = ("height", "width", "pitch", "pixels")


def conv_operands(step: Conv) -> tuple[Tensor | int | float, ...]:
    """What follows source and weights: bias, slopes, target, residual, sizes, strides, channels, scalars."""
    source, target = step.source.buffer, step.target
    residual = step.residual_buffer if step.residual_buffer is not None else target
    near, far = (*step.residuals, *[Place(0)] * 2)[:2]
    bias, slopes = step.weights.bias, step.weights.slopes
    return (
        bias,
        bias if slopes is None else slopes,
        target.values,
        residual.values,
        source.shape.height,
        source.shape.width,
        source.shape.pitch,
        source.shape.pixels,
        source.channels,
        target.channels,
        residual.channels,
        step.source.at,
        step.source.rest,
        step.place.at,
        step.place.low or 0,
        near.at,
        near.low or 0,
        far.at,
        far.low or 0,
        SLOPE,
        step.scale,
    )


def conv_flags(step: Conv, launch: Launch) -> dict[str, Any]:
    """The constants that a kernel is compiled with."""
    inputs, split = step.source.count, step.source.first_piece
    return {
        "INPUTS": inputs,
        "SPLIT": split,
        "OUTPUTS": step.outputs,
        "PIXELS": launch.pixels,
        "CHUNK": chunk_for(launch, split, inputs - split),
        "ACTIVE": step.active,
        "PRELU": step.weights.slopes is not None,
        "STORED": step.outputs if step.stored is None else step.stored,
        "ACCUMULATE": step.accumulate,
        "RESIDUALS": len(step.residuals),
        "PAIR": step.place.low is not None,
    }
