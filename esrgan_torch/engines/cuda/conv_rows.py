# pyright: basic, reportCallIssue=false
"""3x3 convolution that reads each tile three times instead of nine.

For each dy, one tile of pixels is multiplied with the weights of all three dx, into three sums

    s[dx][f] = sum over dy of x[f + dy * pitch] @ w[dy, dx],    out[f] = s[-1][f - 1] + s[0][f] + s[1][f + 1]

which are shifted by a pixel against each other at the end. The outermost two pixels of a tile lack a
neighbour, so tiles overlap by two. The epilogue is that of `steps.Conv`, whose `reference` is what this must
equal. Tiles and weights come through pointers, or through descriptors where the device has a tensor memory
accelerator (compute capability 9.0), which spares the threads all address arithmetic.
"""

import triton
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor

from esrgan_torch.engines.cuda.epilogue import finish, inside
from esrgan_torch.engines.cuda.operands import SIZES, conv_flags, conv_operands
from esrgan_torch.engines.cuda.steps import Conv
from esrgan_torch.engines.cuda.tuning import Launch


@triton.jit(do_not_specialize=SIZES)
def conv_rows(
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
    DESCRIPTOR: tl.constexpr,
):
    """PIXELS - 2 flat pixels, all outputs; `source` and `weights` are pointers, or descriptors of tiles."""
    CHUNKS: tl.constexpr = INPUTS // CHUNK
    first = pitch + tl.program_id(0) * (PIXELS - 2) - 1
    pixel = tl.arange(0, PIXELS)
    step = tl.arange(0, CHUNK)
    output = tl.arange(0, OUTPUTS)
    if not DESCRIPTOR:
        tile = source + first.to(tl.int64) * source_stride + (pixel[:, None] * source_stride + step[None, :])
        matrix = weights + (step[:, None] * OUTPUTS + output[None, :])
    left = tl.zeros((PIXELS, OUTPUTS), dtype=tl.float32)
    centre = tl.zeros((PIXELS, OUTPUTS), dtype=tl.float32)
    right = tl.zeros((PIXELS, OUTPUTS), dtype=tl.float32)
    for number in range(3 * CHUNKS):
        down = number // CHUNKS
        channel = (number - down * CHUNKS) * CHUNK
        place = source_at + channel
        if SPLIT < INPUTS:
            place = tl.where(channel < SPLIT, place, rest_at + channel - SPLIT)
        row = down * (3 * INPUTS) + channel
        if DESCRIPTOR:
            values = source.load([first + (down - 1) * pitch, place])
            to_left = weights.load([row, 0])
            to_centre = weights.load([row + INPUTS, 0])
            to_right = weights.load([row + 2 * INPUTS, 0])
        else:
            values = tl.load(tile + ((down - 1) * pitch * source_stride + place))
            rows = matrix + row * OUTPUTS
            to_left = tl.load(rows)
            to_centre = tl.load(rows + INPUTS * OUTPUTS)
            to_right = tl.load(rows + 2 * INPUTS * OUTPUTS)
        left = tl.dot(values, to_left, left, input_precision="ieee")
        centre = tl.dot(values, to_centre, centre, input_precision="ieee")
        right = tl.dot(values, to_right, right, input_precision="ieee")
    before = tl.broadcast_to(tl.maximum(pixel - 1, 0)[:, None], (PIXELS, OUTPUTS))
    after = tl.broadcast_to(tl.minimum(pixel + 1, PIXELS - 1)[:, None], (PIXELS, OUTPUTS))
    sums = centre + tl.gather(left, before, 0) + tl.gather(right, after, 0)
    keep = inside(first + pixel, height, width, pitch, pixels) & (pixel > 0) & (pixel < PIXELS - 1)
    finish(
        sums, first, keep, bias, slopes, target, residual, target_stride, residual_stride, at, low_at, near,
        near_low, far, far_low, slope, scale, PIXELS, OUTPUTS, ACTIVE, PRELU, STORED, ACCUMULATE, RESIDUALS,
        PAIR,
    )  # fmt: skip


def launch_rows(step: Conv, launch: Launch) -> None:
    """Run the step."""
    shape = step.source.buffer.shape
    flags = conv_flags(step, launch)
    source, weights = step.source.buffer.values, step.weights.matrix
    descriptor = launch.kind == "rows-descriptor"
    if descriptor:
        source = TensorDescriptor.from_tensor(source, [launch.pixels, flags["CHUNK"]])
        weights = TensorDescriptor.from_tensor(weights, [flags["CHUNK"], step.outputs])
    grid = (triton.cdiv(shape.pixels - 2 * shape.pitch, launch.pixels - 2),)
    conv_rows[grid](
        source,
        weights,
        *conv_operands(step),
        **flags,
        DESCRIPTOR=descriptor,
        num_warps=launch.warps,
        num_stages=launch.stages,
    )
