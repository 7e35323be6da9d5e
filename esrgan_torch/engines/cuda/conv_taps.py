# pyright: basic, reportCallIssue=false
"""3x3 convolution as nine matrix products, one a tap:

    out[f] = sum over dy, dx of x[f + dy * pitch + dx] @ w[dy, dx],    f a flat pixel

and the epilogue of `steps.Conv`, whose `reference` is what this must equal. Each tap reads its own tile of
pixels, nine times the input in all, so this is for layers with few inputs; see `conv_rows` for the others.
"""

import triton
import triton.language as tl

from esrgan_torch.engines.cuda.epilogue import finish, inside
from esrgan_torch.engines.cuda.operands import SIZES, conv_flags, conv_operands
from esrgan_torch.engines.cuda.steps import Conv
from esrgan_torch.engines.cuda.tuning import Launch


@triton.jit(do_not_specialize=SIZES)
def conv_taps(
    source,
    weights,
    bias,
    slopes,
    target,
    residual,
    height,
    width,
    pitch,
    pixels,
    source_stride,
    target_stride,
    residual_stride,
    source_at,
    rest_at,
    at,
    low_at,
    near,
    near_low,
    far,
    far_low,
    slope,
    scale,
    INPUTS: tl.constexpr,
    SPLIT: tl.constexpr,
    OUTPUTS: tl.constexpr,
    PIXELS: tl.constexpr,
    CHUNK: tl.constexpr,
    ACTIVE: tl.constexpr,
    PRELU: tl.constexpr,
    STORED: tl.constexpr,
    ACCUMULATE: tl.constexpr,
    RESIDUALS: tl.constexpr,
    PAIR: tl.constexpr,
):
    """PIXELS flat pixels, all outputs."""
    CHUNKS: tl.constexpr = INPUTS // CHUNK
    first = pitch + tl.program_id(0) * PIXELS
    pixel = tl.arange(0, PIXELS)
    step = tl.arange(0, CHUNK)
    output = tl.arange(0, OUTPUTS)
    tile = source + first.to(tl.int64) * source_stride + (pixel[:, None] * source_stride + step[None, :])
    rows = weights + (step[:, None] * OUTPUTS + output[None, :])
    sums = tl.zeros((PIXELS, OUTPUTS), dtype=tl.float32)
    for number in range(9 * CHUNKS):
        tap = number // CHUNKS
        channel = (number - tap * CHUNKS) * CHUNK
        down = tap // 3
        place = source_at + channel
        if SPLIT < INPUTS:
            place = tl.where(channel < SPLIT, place, rest_at + channel - SPLIT)
        shift = (down - 1) * pitch + (tap - down * 3) - 1
        values = tl.load(tile + (shift * source_stride + place))
        sums = tl.dot(values, tl.load(rows + number * (CHUNK * OUTPUTS)), sums, input_precision="ieee")
    keep = inside(first + pixel, height, width, pitch, pixels)
    finish(
        sums, first, keep, bias, slopes, target, residual, target_stride, residual_stride, at, low_at, near,
        near_low, far, far_low, slope, scale, PIXELS, OUTPUTS, ACTIVE, PRELU, STORED, ACCUMULATE, RESIDUALS,
        PAIR,
    )  # fmt: skip


def launch_taps(step: Conv, launch: Launch) -> None:
    """Run the step."""
    shape = step.source.buffer.shape
    grid = (triton.cdiv(shape.pixels - 2 * shape.pitch, launch.pixels),)
    conv_taps[grid](
        step.source.buffer.values,
        step.weights.matrix,
        *conv_operands(step),
        **conv_flags(step, launch),
        num_warps=launch.warps,
        num_stages=launch.stages,
    )
