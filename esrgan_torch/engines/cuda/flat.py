"""The layout of every feature map: pixels in one long row, zeros where the convolutions pad.

A picture of H x W pixels lies in H + 2 rows of W + 1: a row of zeros above and below, and a zero after each
row, which is also the zero before the next. Pixel (y, x) of picture b has the number

    f = (b * (H + 2) + y + 1) * (W + 1) + x

and its neighbour (dy, dx) the number f + dy * (W + 1) + dx, at the border too. So a kernel needs neither
masks for its loads nor divisions in its loop: a tile is a run of pixels. What it computes for the zeros in
between, 1 / (W + 1) of the work, it does not store. The channels of a pixel lie together (NHWC).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

LARGEST_TILE = 256  # pixels that a program computes
# the left neighbour of the first row's first pixel: a zero as well
BEFORE = 1
# the last tile ends up to a tile after the last pixel: what is read there reaches no result, but is memory
AFTER = LARGEST_TILE + 2


@dataclass(frozen=True)
class FlatShape:
    """Sizes of the pictures in a flat buffer, in pixels."""

    batch: int
    height: int
    width: int

    @property
    def pitch(self) -> int:
        """Pixels from a row to the next."""
        return self.width + 1

    @property
    def pixels(self) -> int:
        """Pixels of all pictures, their zeros included."""
        return self.batch * (self.height + 2) * self.pitch

    def nbytes(self, channels: int, dtype: torch.dtype) -> int:
        """Memory of a buffer of this shape."""
        return (BEFORE + self.pixels + AFTER) * channels * dtype.itemsize

    def doubled(self) -> "FlatShape":
        """The shape after an x2 step."""
        return FlatShape(self.batch, 2 * self.height, 2 * self.width)


class Flat:
    """A flat buffer over given memory; the memory is not touched.

    Args:
        memory: at least `shape.nbytes(channels, dtype)` bytes, uint8, aligned as PyTorch allocates it.
        shape, channels, dtype: what it holds.

    Attributes:
        values: (pixels, channels), a view.
        before: (1, channels), the pixel before them.
    """

    def __init__(self, memory: Tensor, shape: FlatShape, channels: int, dtype: torch.dtype) -> None:
        self.shape = shape
        self.channels = channels
        typed = memory[: shape.nbytes(channels, dtype)].view(dtype).view(-1, channels)
        self.before = typed[:BEFORE]
        self.values = typed[BEFORE : BEFORE + shape.pixels]

    def picture(self, at: int = 0, count: int | None = None) -> Tensor:
        """Channels `at` to `at + count` without the zeros around: (B, H, W, count), a view."""
        end = self.channels if count is None else at + count
        return inner_pixels(self.values, self.shape)[..., at:end]

    def border(self) -> Tensor:
        """All that has to be zero: (pixels, channels), a copy."""
        around = torch.ones(self.shape.pixels, 1, dtype=torch.bool, device=self.values.device)
        inner_pixels(around, self.shape)[:] = False
        return torch.cat((self.before, self.values[around[:, 0]]))


def inner_pixels(values: Tensor, shape: FlatShape) -> Tensor:
    """The pixels of the pictures among all (pixels, C): (B, H, W, C), a view."""
    padded = values.view(shape.batch, shape.height + 2, shape.pitch, -1)
    return padded[:, 1:-1, : shape.width]


def allocate(shape: FlatShape, channels: int, dtype: torch.dtype, device: torch.device) -> Flat:
    """A flat buffer in memory of its own, all zeros."""
    memory = torch.zeros(shape.nbytes(channels, dtype), dtype=torch.uint8, device=device)
    return Flat(memory, shape, channels, dtype)
