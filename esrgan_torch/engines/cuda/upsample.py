# pyright: basic, reportCallIssue=false
"""Nearest x2, 3x3 convolution and LeakyReLU as four convolutions of 2x2 taps, one for each phase:

    out[2 y + p, 2 x + q] = leaky(sum over i, j of x[y - 1 + p + i, x - 1 + q + j] @ w[p, q, i, j] + bias)

with the sums of weights of `packing.pack_phases`. `steps.Upsample.reference` is what this must equal. Four
programs with numbers in a row compute the phases of the same pixels: three of them find those in the cache.
"""

import triton
import triton.language as tl

from esrgan_torch.engines.cuda.epilogue import inside, leaky
from esrgan_torch.engines.cuda.operands import SIZES
from esrgan_torch.engines.cuda.steps import Upsample
from esrgan_torch.engines.cuda.tuning import Launch, chunk_for
from esrgan_torch.networks.rrdb import SLOPE


@triton.jit(do_not_specialize=[*SIZES, "target_pitch"])
def upsample(
    source,
    weights,
    bias,
    target,
    height,
    width,
    pitch,
    pixels,
    target_pitch,
    source_stride,
    target_stride,
    slope,
    INPUTS: tl.constexpr,
    OUTPUTS: tl.constexpr,
    PIXELS: tl.constexpr,
    CHUNK: tl.constexpr,
):
    """One phase of PIXELS flat pixels of the source."""
    CHUNKS: tl.constexpr = INPUTS // CHUNK
    phase = tl.program_id(0) % 4
    first = pitch + (tl.program_id(0) // 4) * PIXELS
    down = phase // 2
    right = phase - 2 * down
    pixel = tl.arange(0, PIXELS)
    step = tl.arange(0, CHUNK)
    output = tl.arange(0, OUTPUTS)
    tile = source + first.to(tl.int64) * source_stride + (pixel[:, None] * source_stride + step[None, :])
    rows = weights + phase * (4 * INPUTS * OUTPUTS) + (step[:, None] * OUTPUTS + output[None, :])
    sums = tl.zeros((PIXELS, OUTPUTS), dtype=tl.float32)
    for number in range(4 * CHUNKS):
        tap = number // CHUNKS
        channel = (number - tap * CHUNKS) * CHUNK
        row = tap // 2
        shift = (row - 1 + down) * pitch + (tap - 2 * row) - 1 + right
        values = tl.load(tile + (shift * source_stride + channel))
        sums = tl.dot(values, tl.load(rows + number * (CHUNK * OUTPUTS)), sums, input_precision="ieee")
    sums = leaky(sums + tl.load(bias + output)[None, :], slope)
    number = first + pixel
    keep = inside(number, height, width, pitch, pixels)
    source_row = number // pitch
    picture = source_row // (height + 2)
    y = source_row - picture * (height + 2) - 1
    target_row = picture * (2 * height + 2) + 2 * y + down + 1
    place = target_row.to(tl.int64) * target_pitch + 2 * (number - source_row * pitch) + right
    places = target + (place[:, None] * target_stride + output[None, :])
    tl.store(places, sums.to(target.dtype.element_ty), mask=keep[:, None] & (output < OUTPUTS)[None, :])


def launch_upsample(step: Upsample, launch: Launch) -> None:
    """Run the step."""
    shape, inputs = step.source.shape, step.source.channels
    grid = (4 * triton.cdiv(shape.pixels - 2 * shape.pitch, launch.pixels),)
    upsample[grid](
        step.source.values,
        step.weights.matrix,
        step.weights.bias,
        step.target.values,
        shape.height,
        shape.width,
        shape.pitch,
        shape.pixels,
        step.target.shape.pitch,
        inputs,
        step.target.channels,
        SLOPE,
        INPUTS=inputs,
        OUTPUTS=step.outputs,
        PIXELS=launch.pixels,
        CHUNK=chunk_for(launch, inputs),
        num_warps=launch.warps,
        num_stages=launch.stages,
    )
