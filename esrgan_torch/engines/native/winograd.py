"""Weights of a convolution as the native engine's products read them."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from esrgan_torch.arithmetic import round_up

STEP = 16  # channels of a map are padded to a multiple of it
FREQUENCIES = 6  # along an axis
A, B = 11 / 16, 3 / 2  # points of the transforms beside 0, their negatives and infinity: source/lines.h


def _line() -> Tensor:
    """(6, 3): G of F(4x4, 3x3) (Lavin and Gray 2015); a line of 3 weights becomes 6 frequencies."""
    points = (0.0, A, -A, B, -B)
    rows = [
        [point**power / math.prod(point - other for other in points if other != point) for power in range(3)]
        for point in points
    ]
    return torch.tensor([*rows, [0.0, 0.0, 1.0]], dtype=torch.float64, device="cpu")


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
    return in_panels(_frequencies(weight), lanes)


def enlarging_panels(weight: Tensor, lanes: int) -> Tensor:
    """What `enlarging_weight` gives -> the frequencies' matrices, without what is 0 by its form; float32.

    Along an axis the first of two pixels has no weights at the last frequency, the second none at the first.
    So a frequency has matrices for the first row of pixels, for the second, or for both, each of one pixel's
    outputs or of both.
    """
    matrices = _frequencies(weight)
    outputs = matrices.shape[2] // 4
    parts: list[Tensor] = []
    for number, matrix in enumerate(matrices):
        row, column = divmod(number, FREQUENCIES)
        for y in _weighted(row):
            columns = _weighted(column)
            first, end = 2 * y + columns[0], 2 * y + columns[-1] + 1
            part = matrix[:, first * outputs : end * outputs]
            parts.append(in_panels(part.unsqueeze(0), lanes).flatten())
    return torch.cat(parts)


def _weighted(frequency: int) -> list[int]:
    """Which of the two pixels along an axis have weights at a frequency."""
    return {0: [0], FREQUENCIES - 1: [1]}.get(frequency, [0, 1])


def _frequencies(weight: Tensor) -> Tensor:
    """(outputs, inputs, 3, 3) -> (36, inputs, padded outputs), float32."""
    outputs, inputs = weight.shape[:2]
    whole = F.pad(weight.double(), (0, 0, 0, 0, 0, 0, 0, padded(outputs) - outputs))
    line = _line()
    taps = whole.reshape(-1, 9) @ torch.kron(line, line).T
    return taps.float().view(-1, inputs, FREQUENCIES**2).permute(2, 1, 0)


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
