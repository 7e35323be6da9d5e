"""Unsharp masking of training targets, as Real-ESRGAN does it (Wang et al. 2021, section 3.3)."""

import torch
from torch import Tensor
from torch.nn import functional as F

RADIUS = 25  # of the blur, in pixels


def sharpen(batch: Tensor, weight: float = 0.5, radius: int = RADIUS, threshold: float = 10 / 255) -> Tensor:
    """Add `weight` times what a Gaussian blur takes away, where that is more than `threshold`.

    The mask of those places is blurred as well, so that no edge of it shows. Source: USMSharp of BasicSR,
    whose kernel of 51 pixels has sigma 0.3 * ((51 - 1) / 2 - 1) + 0.8 = 8, OpenCV's choice for that size.

    Args:
        batch: (N, C, H, W) in [0, 1]; H and W greater than `radius`.
        radius: of the blur, in pixels.

    Returns:
        The same shape, in [0, 1].
    """
    offsets = torch.arange(-radius, radius + 1, dtype=batch.dtype, device=batch.device)
    sigma = 0.3 * (radius - 1) + 0.8
    window = torch.exp(-(offsets**2) / (2 * sigma**2))
    window = window / window.sum()
    residual = batch - _blur(batch, window)
    mask = _blur((residual.abs() > threshold).to(batch.dtype), window)
    return torch.lerp(batch, (batch + weight * residual).clamp(0, 1), mask)


def _blur(batch: Tensor, window: Tensor) -> Tensor:
    """Separable, with reflected borders."""
    radius = window.numel() // 2
    channels = batch.shape[1]
    padded = F.pad(batch, (radius, radius, radius, radius), mode="reflect")
    rows = F.conv2d(padded, window.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
    return F.conv2d(rows, window.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)
