# pyright: basic, reportCallIssue=false
"""Zero the pixels around and between pictures, and nothing else: `steps.ClearBorder.reference` in one launch.

Memory is shared by pictures of all sizes, so a border is cleared for each run. Of each picture those are its
first row, its last row, and the last pixel of each row between; and the pixel before the first picture.
"""

import triton
import triton.language as tl

from esrgan_torch.engines.cuda.steps import ClearBorder


@triton.jit(do_not_specialize=["height", "pitch", "count"])
def clear_border(
    target, height, pitch, count, CHANNELS: tl.constexpr, PIXELS: tl.constexpr, BLOCK: tl.constexpr
):
    """BLOCK channels of PIXELS of the `count` pixels of all borders and the one before."""
    each = 2 * pitch + height
    number = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    picture = number // each
    place = number - picture * each
    lower = place - pitch
    between = lower - pitch
    inner = tl.where(lower < pitch, (height + 1) * pitch + lower, (between + 1) * pitch + pitch - 1)
    pixel = picture * ((height + 2) * pitch) + tl.where(place < pitch, place, inner)
    pixel = tl.where(number == count, -1, pixel)
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    places = target + (pixel.to(tl.int64)[:, None] * CHANNELS + channel[None, :])
    mask = (number <= count)[:, None] & (channel < CHANNELS)[None, :]
    tl.store(places, tl.zeros((PIXELS, BLOCK), dtype=target.dtype.element_ty), mask=mask)


PIXELS, BLOCK = 64, 64  # of a program


def launch_border(step: ClearBorder) -> None:
    """Run the step."""
    shape = step.target.shape
    count = shape.batch * (2 * shape.pitch + shape.height)
    grid = (triton.cdiv(count + 1, PIXELS), triton.cdiv(step.target.channels, BLOCK))
    clear_border[grid](
        step.target.values,
        shape.height,
        shape.pitch,
        count,
        CHANNELS=step.target.channels,
        PIXELS=PIXELS,
        BLOCK=BLOCK,
        num_warps=4,
    )
