# pyright: basic, reportCallIssue=false
"""Pixels of 8 bits into the split picture of `packing.split_picture`, and out of what a network leaves.

Both are one pass over memory on the device, where PyTorch makes several, in float32. `split_reference` and
`join_reference` are what the kernels must equal.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from esrgan_torch.engines.cuda.epilogue import inside
from esrgan_torch.engines.cuda.flat import Flat
from esrgan_torch.engines.cuda.packing import split_picture

PIXELS = 128  # flat pixels of a program that splits
VALUES = 1024  # values of a program that joins


@triton.jit(do_not_specialize=["height", "width", "pitch", "pixels"])
def split_pixels(
    source,
    target,
    height,
    width,
    pitch,
    pixels,
    CHANNELS: tl.constexpr,
    INPUTS: tl.constexpr,
    PIXELS: tl.constexpr,
):
    """All INPUTS values of PIXELS flat pixels: rounded, what rounding left, rounded, zeros; zeros around."""
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    number = tl.arange(0, INPUTS)
    keep = inside(pixel, height, width, pitch, pixels)
    row = pixel // pitch
    start = ((row - 1).to(tl.int64) * width + (pixel - row * pitch)) * CHANNELS
    mask = keep[:, None] & (number < 3 * CHANNELS)[None, :]
    values = tl.load(source + (start[:, None] + (number % CHANNELS)[None, :]), mask=mask, other=0)
    values = values.to(tl.float32) / 255
    left = values - values.to(target.dtype.element_ty).to(tl.float32)
    results = tl.where((number // CHANNELS == 1)[None, :], left, values)
    places = target + (pixel.to(tl.int64)[:, None] * INPUTS + number[None, :])
    tl.store(
        places,
        results.to(target.dtype.element_ty),
        mask=(pixel < pixels)[:, None] & (number < INPUTS)[None, :],
    )


@triton.jit(do_not_specialize=["width", "pitch", "count"])
def join_pixels(
    source,
    skip,
    target,
    width,
    pitch,
    count,
    SCALE: tl.constexpr,
    CHANNELS: tl.constexpr,
    STRIDE: tl.constexpr,
    VALUES: tl.constexpr,
):
    """VALUES of the `count` bytes of the large picture: shuffled, the skip added, rounded."""
    number = tl.program_id(0).to(tl.int64) * VALUES + tl.arange(0, VALUES)
    mask = number < count
    channel = (number % CHANNELS).to(tl.int32)
    pixel = number // CHANNELS
    y = (pixel // (width * SCALE)).to(tl.int32)
    x = (pixel - y.to(tl.int64) * (width * SCALE)).to(tl.int32)
    row, column = y // SCALE, x // SCALE
    place = (channel * SCALE + y % SCALE) * SCALE + x % SCALE
    flat = (row + 1).to(tl.int64) * pitch + column
    values = tl.load(source + flat * STRIDE + place, mask=mask, other=0.0)
    beneath = (row.to(tl.int64) * width + column) * CHANNELS + channel
    values += tl.load(skip + beneath, mask=mask, other=0).to(tl.float32) / 255
    values = tl.minimum(tl.maximum(values, 0.0), 1.0)
    tl.store(target + number, (values * 255 + 0.5).to(tl.uint8), mask=mask)


def split(pixels: Tensor, target: Flat) -> None:
    """(H, W, C) uint8 -> the split picture, zeros around it included."""
    shape = target.shape
    split_pixels[(triton.cdiv(shape.pixels, PIXELS),)](
        pixels,
        target.values,
        shape.height,
        shape.width,
        shape.pitch,
        shape.pixels,
        CHANNELS=pixels.shape[2],
        INPUTS=target.channels,
        PIXELS=PIXELS,
        num_warps=4,
    )


def join(source: Flat, pixels: Tensor, target: Tensor) -> None:
    """Shuffle features into a picture, add the picture beneath, and round.

    Args:
        source: (C * scale²) values a pixel in float32, as for `F.pixel_shuffle`.
        pixels: (H, W, C) uint8, added by nearest neighbour.
        target: (H * scale, W * scale, C) uint8.
    """
    scale = target.shape[0] // pixels.shape[0]
    join_pixels[(triton.cdiv(target.numel(), VALUES),)](
        source.values,
        pixels,
        target,
        source.shape.width,
        source.shape.pitch,
        target.numel(),
        SCALE=scale,
        CHANNELS=pixels.shape[2],
        STRIDE=source.channels,
        VALUES=VALUES,
        num_warps=4,
    )


def split_reference(pixels: Tensor, target: Flat) -> None:
    """`split` in PyTorch."""
    target.values.zero_()
    split_picture(pixels.permute(2, 0, 1)[None].float() / 255, target.picture())


def join_reference(source: Flat, pixels: Tensor, target: Tensor) -> None:
    """`join` in PyTorch; a value half-way between two levels goes up."""
    scale, channels = target.shape[0] // pixels.shape[0], pixels.shape[2]
    features = source.picture(0, channels * scale**2).permute(0, 3, 1, 2)
    beneath = (pixels.permute(2, 0, 1)[None].float() / 255).repeat_interleave(scale**2, dim=1)
    large = torch.pixel_shuffle(features + beneath, scale)[0].permute(1, 2, 0)
    target.copy_((large.clamp(0, 1) * 255 + 0.5).to(torch.uint8))
