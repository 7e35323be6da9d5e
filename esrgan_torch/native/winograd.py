"""Weights of a 3x3 convolution as the native engine's products read them."""

import torch
from torch import Tensor
from torch.nn import functional as F

STEP = 16  # channels of a map are padded to a multiple of it
# G of F(4x4, 3x3) (Lavin and Gray 2015): a line of 3 weights becomes 6 frequencies
LINE = torch.tensor(
    [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], dtype=torch.float64
) / torch.tensor([[24], [24], [24], [24], [24], [24]], dtype=torch.float64)


def padded(channels: int) -> int:
    """Channels of a map that is stored."""
    return -(-channels // STEP) * STEP


def transformed_weight(weight: Tensor, lanes: int) -> Tensor:
    """(outputs, inputs, 3, 3) -> the frequencies' matrices, one after the other, float32.

    Args:
        weight: computed in float64; zeros are added up to a multiple of 16 outputs.
        lanes: floats of a vector. A matrix, (inputs, outputs), is cut into panels of two vectors of outputs
            and at the end perhaps one, each contiguous.
    """
    outputs, inputs = weight.shape[:2]
    whole = F.pad(weight.double(), (0, 0, 0, 0, 0, 0, 0, padded(outputs) - outputs))
    taps = whole.reshape(-1, 9) @ torch.kron(LINE, LINE).T
    matrices = taps.float().view(-1, inputs, 36).permute(2, 1, 0)
    wide = padded(outputs) // (2 * lanes) * 2 * lanes
    panels: Tensor = matrices[:, :, :wide].reshape(36, inputs, -1, 2 * lanes).transpose(1, 2).reshape(36, -1)
    return torch.cat((panels, matrices[:, :, wide:].reshape(36, -1)), dim=1).contiguous()


def enlarging_weight(weight: Tensor) -> Tensor:
    """(outputs, inputs, 3, 3) after nearest x2 -> (4 * padded outputs, inputs, 3, 3) on the map before it.

    The four parts are the pixels that each pixel becomes, in order of rows. A pixel in the first row sees the
    row above by one tap, and its own by the two others; one in the second row the other way round.
    """
    sums = torch.tensor(
        [[[1, 0, 0], [0, 1, 1], [0, 0, 0]], [[0, 0, 0], [1, 1, 0], [0, 0, 1]]], dtype=torch.float64
    )
    outputs = weight.shape[0]
    whole = F.pad(weight.double(), (0, 0, 0, 0, 0, 0, 0, padded(outputs) - outputs))
    return torch.einsum("yrk,xcl,oikl->yxoirc", sums, sums, whole).flatten(0, 2)
