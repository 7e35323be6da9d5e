"""Losses of structure: how sharp a picture is, and whether it has a grid of the period of the scale.

`pixel_loss` alone makes blur of what it cannot place, and does not see a faint grid among larger errors. A
discriminator sees both and leaves patterns of its own; these two are plain functions of the pictures.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from esrgan_torch.metrics.periodic import APART, PERIODS

WINDOW = 8
"""Pixels of a side, within which sharpness is compared."""

_UNSEEN = (0.3 / 255) ** 2  # power of a wave


def grid_loss(output: Tensor, target: Tensor, scale: int) -> Tensor:
    """L_grid = E log(1 + P / (B + Q)), how far the error stands out at the period of the scale.

    The s x s pixels made of one come from weights of their own (pixel shuffle), and all that makes a network
    sharper lets them drift apart: a grid on what is flat, dots along edges. P is the power of the error
    G(x) - y, in pieces of 8 periods of a row or a column, at the frequencies k / s, k = 1 ... s / 2; B the
    geometric mean of the powers two frequencies away on either side, through which no gradient flows; Q that
    of a wave of 0.3 levels, which nobody sees. So what the target has falls out, and a faint grid on what is
    flat counts as much as a strong one in texture, where `pixel_loss` sees neither among larger errors.
    Errors at random have 0.9.

    `esrgan_torch.metrics.periodic` finds what is left.

    Args:
        output, target: (N, C, H, W), any float type, H and W at least 8 times the scale.
        scale: how many pixels are made of one, along each axis.

    Returns:
        A scalar.
    """
    error = output.float() - target.float()
    return (_standing_out(error, scale) + _standing_out(error.transpose(2, 3), scale)) / 2


def _standing_out(error: Tensor, scale: int) -> Tensor:
    """The same along rows alone."""
    length = PERIODS * scale
    pieces = error.unfold(-1, length, length)
    middles = range(PERIODS, length // 2 + 1, PERIODS)
    count = len(middles)
    power = _power(pieces, [middle + off for off in (-APART, 0, APART) for middle in middles])
    around = (power[..., :count] * power[..., 2 * count :]).sqrt().detach()
    return torch.log1p(power[..., count : 2 * count] / (around + _UNSEEN)).mean()


def _power(pieces: Tensor, frequencies: list[int]) -> Tensor:
    """(..., n) -> (..., F): squared amplitudes of waves of so many periods in a piece, in Hann's window."""
    length = pieces.shape[-1]
    turns = torch.arange(length).double().outer(torch.tensor(frequencies).double()) * (2 * torch.pi / length)
    window = torch.hann_window(length, dtype=torch.float64).unsqueeze(1) * 4 / length
    waves = (window * torch.cat([turns.cos(), turns.sin()], 1)).float().to(pieces.device)
    with torch.autocast(pieces.device.type, enabled=False):
        found = pieces @ waves
    cosine, sine = found.chunk(2, -1)
    return cosine.square() + sine.square()


def sharpness_loss(output: Tensor, target: Tensor) -> Tensor:
    """L_sharp = Σ_k E |A(|Δ G_k(x)|) - A(|Δ y_k|)| / 2, how sharp windows are.

    Δ is the Laplacian, four times a pixel less its neighbours, A the mean over windows of 8 x 8 pixels, of
    which the next begins 4 further; k = 1 and 2, the pictures as they are and of half the size. How much of
    edges and texture there is is compared, and not where exactly: of what it cannot place `pixel_loss` makes
    the middle, which is blur. As the gradient variance loss (Abrahamyan et al. 2022), with the size of the
    Laplacian for the variance of gradients.

    Too large a weight has a network fill weak texture with a hatching that is as sharp: 0.5 beside a pixel
    loss of 1 left none, 1.5 did.

    Args:
        output, target: (N, C, H, W), any float type, H and W at least 20.

    Returns:
        A scalar.
    """
    output, target = output.float(), target.float()
    terms = [F.l1_loss(_sharpness(output), _sharpness(target))]
    terms.append(F.l1_loss(_sharpness(F.avg_pool2d(output, 2)), _sharpness(F.avg_pool2d(target, 2))))
    return torch.stack(terms).mean()


def _sharpness(batch: Tensor) -> Tensor:
    """The mean size of the Laplacian of windows."""
    inner = 4 * batch[:, :, 1:-1, 1:-1]
    around = batch[:, :, :-2, 1:-1] + batch[:, :, 2:, 1:-1] + batch[:, :, 1:-1, :-2] + batch[:, :, 1:-1, 2:]
    return F.avg_pool2d((inner - around).abs(), WINDOW, WINDOW // 2)
