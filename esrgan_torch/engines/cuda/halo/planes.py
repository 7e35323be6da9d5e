"""What the halo kernel reads and writes: planes of 8 channels, and weights in its order."""

import torch
from torch import Tensor

from esrgan_torch.arithmetic import ceil_div, round_up
from esrgan_torch.engines.cuda.flat import FlatShape
from esrgan_torch.engines.cuda.steps import Weights

# as in conv.cu
TILE_WIDTH, TILE_HEIGHT = 128, 4
LANES = 8  # channels of a plane
STEP = 16  # inputs of a matrix product
OUTPUTS = 64


class Planes:
    """[channels / 8][pixel][8], pixels as in `flat`, and room behind them so that whole tiles can be read.

    Args:
        shape: one picture.
        channels: a multiple of 8.
        dtype, device: of the values, which begin as zeros; kernels keep those around the picture.
    """

    def __init__(self, shape: FlatShape, channels: int, dtype: torch.dtype, device: torch.device) -> None:
        self.shape = shape
        rows = round_up(shape.height, TILE_HEIGHT) + 2
        # a pixel before the first one, and after the last what a tile and its halo reach beyond a row
        self.plane_pixels = 1 + rows * shape.pitch + TILE_WIDTH + 2
        self.values = torch.zeros(channels // LANES, self.plane_pixels, LANES, dtype=dtype, device=device)

    @property
    def address(self) -> int:
        """Of flat pixel 0 of the first plane."""
        return self.values.data_ptr() + LANES * self.values.element_size()

    def picture(self, at: int, count: int) -> Tensor:
        """Channels `at` to `at + count`: (H, W, count / 8, 8), a view."""
        shape = self.shape
        end = 1 + (shape.height + 2) * shape.pitch
        planes = self.values[at // LANES : (at + count) // LANES, 1:end]
        padded = planes.view(-1, shape.height + 2, shape.pitch, LANES)
        return padded[:, 1:-1, : shape.width].permute(1, 2, 0, 3)

    @property
    def tiles_across(self) -> int:
        return ceil_div(self.shape.width, TILE_WIDTH)

    @property
    def tiles(self) -> int:
        return self.tiles_across * ceil_div(self.shape.height, TILE_HEIGHT)


def pack(weights: Weights) -> Weights:
    """(9 * inputs, outputs) as `packing` makes them -> (inputs / 16, taps, 2, 64 outputs, 8 inputs).

    64 outputs have 9 taps. 32 are those of a row and of the row below it: 4 x 3 taps, zeros where one of the
    two does not see a pixel, and the bias twice.
    """
    outputs = weights.bias.numel()
    matrix, bias = weights.matrix.view(3, 3, -1, outputs), weights.bias
    if outputs < OUTPUTS:
        none = torch.zeros_like(matrix[:1])
        matrix = torch.cat((torch.cat((matrix, none)), torch.cat((none, matrix))), dim=3)
        bias = torch.cat((bias, bias))
    parts = matrix.reshape(3 * matrix.shape[0], -1, STEP // LANES, LANES, OUTPUTS)
    return Weights(parts.permute(1, 0, 2, 4, 3).contiguous(), bias.clone())
