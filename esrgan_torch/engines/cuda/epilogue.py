# pyright: basic, reportCallIssue=false
"""What follows a convolution while its sums are still in registers: see `steps.Conv` for the formula.

Triton's language is no Python: its values have no types that pyright could check, so the files with kernels
are checked less strictly.
"""

import triton
import triton.language as tl


@triton.jit
def inside(number, height, width, pitch, pixels):
    """Whether flat pixels belong to a picture, see `flat`; the others are computed and not stored."""
    row = number // pitch
    column = number - row * pitch
    y = row % (height + 2)
    return (column < width) & (y >= 1) & (y <= height) & (number < pixels)


@triton.jit
def leaky(values, slope):
    """LeakyReLU for slopes from 0 to 1."""
    return tl.maximum(values, values * slope)


@triton.jit
def finish(
    sums,
    first,
    keep,
    bias,
    slopes,
    target,
    residual,
    target_stride,
    residual_stride,
    at,
    low_at,
    near,
    near_low,
    far,
    far_low,
    slope,
    scale,
    PIXELS: tl.constexpr,
    OUTPUTS: tl.constexpr,
    ACTIVE: tl.constexpr,
    PRELU: tl.constexpr,
    STORED: tl.constexpr,
    ACCUMULATE: tl.constexpr,
    RESIDUALS: tl.constexpr,
    PAIR: tl.constexpr,
):
    """Bias, LeakyReLU or PReLU, residuals, rounding.

    `sums` is (PIXELS, OUTPUTS), its first row is flat pixel `first`. Residuals are pairs, see `steps.Place`:
    channels `near` and `near_low`, then `far` and `far_low`.
    """
    # where a tile begins needs 64 bits, since large pictures have more than 2^31 values; within a tile 32 do
    start = first.to(tl.int64)
    pixel = tl.arange(0, PIXELS)
    output = tl.arange(0, OUTPUTS)
    places = target + start * target_stride + at + (pixel[:, None] * target_stride + output[None, :])
    mask = keep[:, None] & (output < STORED)[None, :]
    if ACCUMULATE:
        sums += tl.load(places, mask=mask, other=0.0).to(tl.float32)
    sums += tl.load(bias + output)[None, :]
    if PRELU:  # slopes may be negative or above 1
        sums = tl.where(sums >= 0, sums, sums * tl.load(slopes + output)[None, :])
    elif ACTIVE == OUTPUTS:
        sums = leaky(sums, slope)
    elif ACTIVE > 0:
        sums = tl.where((output < ACTIVE)[None, :], leaky(sums, slope), sums)
    if RESIDUALS > 0:
        others = residual + start * residual_stride + (pixel[:, None] * residual_stride + output[None, :])
        high = tl.load(others + near, mask=mask, other=0.0).to(tl.float32)
        sums = sums * scale + (high + tl.load(others + near_low, mask=mask, other=0.0).to(tl.float32))
        if RESIDUALS > 1:
            high = tl.load(others + far, mask=mask, other=0.0).to(tl.float32)
            sums = sums * scale + (high + tl.load(others + far_low, mask=mask, other=0.0).to(tl.float32))
    rounded = sums.to(target.dtype.element_ty)
    tl.store(places, rounded, mask=mask)
    if PAIR:
        left = (sums - rounded.to(tl.float32)).to(target.dtype.element_ty)
        tl.store(places + (low_at - at), left, mask=mask)
