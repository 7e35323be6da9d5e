"""Weights of a convolution as the native engine's products read them."""

import torch
from torch import Tensor
from torch.nn import functional as F

from esrgan_torch.arithmetic import round_up

STEP = 16  # channels of a map are padded to a multiple of it
# G of F(4x4, 3x3) (Lavin and Gray 2015): a line of 3 weights becomes 6 frequencies
LINE = ((6, 0, 0), (-4, -4, -4), (-4, 4, -4), (1, 2, 4), (1, -2, 4), (0, 0, 24))  # times 24


def padded(channels: int) -> int:
    """Channels of a map that is stored."""
    return round_up(channels, STEP)


def transformed_weight(weight: Tensor, lanes: int) -> Tensor:
    """(outputs, inputs, 3, 3) -> the frequencies' matrices, one after the other, float32.

    Args:
        weight: computed in float64; zeros are added up to a multiple of 16 outputs.
        lanes: floats of a vector. A matrix, (inputs, outputs), is cut into panels of two vectors of outputs
            and at the end perhaps one, each contiguous.
    """
    outputs, inputs = weight.shape[:2]
    whole = F.pad(weight.double(), (0, 0, 0, 0, 0, 0, 0, padded(outputs) - outputs))
    line = torch.tensor(LINE, dtype=torch.float64, device="cpu") / 24
    taps = whole.reshape(-1, 9) @ torch.kron(line, line).T
    return in_panels(taps.float().view(-1, inputs, 36).permute(2, 1, 0), lanes)


def pointwise_weight(weight: Tensor, lanes: int) -> Tensor:
    """(outputs, inputs, 1, 1) -> its matrix, float32, laid out as each of `transformed_weight`."""
    outputs, inputs = weight.shape[:2]
    matrix = F.pad(weight.float().view(outputs, inputs), (0, 0, 0, padded(outputs) - outputs))
    return in_panels(matrix.T.unsqueeze(0), lanes)


def in_panels(matrices: Tensor, lanes: int) -> Tensor:
    """(matrices, inputs, padded outputs) -> (matrices, values), cut into panels as the products read them."""
    count, inputs, outputs = matrices.shape
    wide = outputs // (2 * lanes) * 2 * lanes
    panels: Tensor = matrices[:, :, :wide].reshape(count, inputs, -1, 2 * lanes).transpose(1, 2)
    narrow = matrices[:, :, wide:].reshape(count, -1)
    return torch.cat((panels.reshape(count, -1), narrow), dim=1).contiguous()


def enlarging_weight(weight: Tensor) -> Tensor:
    """(outputs, inputs, 3, 3) after nearest x2 -> (4 * padded outputs, inputs, 3, 3) on the map before it.

    The four parts are the pixels that each pixel becomes, in order of rows. A pixel in the first row sees the
    row above by one tap, and its own by the two others; one in the second row the other way round.
    """
    sums = torch.tensor(
        [[[1, 0, 0], [0, 1, 1], [0, 0, 0]], [[0, 0, 0], [1, 1, 0], [0, 0, 1]]],
        dtype=torch.float64,
        device="cpu",
    )
    outputs = weight.shape[0]
    whole = F.pad(weight.double(), (0, 0, 0, 0, 0, 0, 0, padded(outputs) - outputs))
    return torch.einsum("yrk,xcl,oikl->yxoirc", sums, sums, whole).flatten(0, 2)
