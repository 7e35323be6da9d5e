"""Blur kernels of Real-ESRGAN's degradation (Wang et al. 2021, section 3.1 and appendix; BasicSR)."""

import math
from typing import Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Kernel = NDArray[np.float32]
Shape = Literal["gaussian", "generalized", "plateau"]


def blur_kernel(
    size: int, sigma: tuple[float, float], turn: float = 0.0, shape: Shape = "gaussian", beta: float = 1.0
) -> Kernel:
    """A blur of some width along two axes, (size, size), of sum 1.

    With q = p' Σ^-1 p at position p: gaussian exp(-q / 2), generalized exp(-q^beta / 2),
    plateau 1 / (q^beta + 1).

    Args:
        size: odd, in pixels.
        sigma: widths along the two axes, in pixels; equal ones make an isotropic blur.
        turn: of the first axis, in radians.
        beta: 1 is a Gaussian; less has a sharp peak, more a flat top.
    """
    axis = np.arange(size) - size // 2
    x, y = np.meshgrid(axis, axis)
    along = x * math.cos(turn) + y * math.sin(turn)
    across = y * math.cos(turn) - x * math.sin(turn)
    q = (along / sigma[0]) ** 2 + (across / sigma[1]) ** 2
    if shape == "gaussian":
        kernel = np.exp(-q / 2)
    elif shape == "generalized":
        kernel = np.exp(-(q**beta) / 2)
    else:
        kernel = 1 / (q**beta + 1)
    return (kernel / kernel.sum()).astype(np.float32)


def sinc_kernel(size: int, cutoff: float) -> Kernel:
    """A circular low-pass filter, which rings as sharpened and recompressed pictures do; (size, size), sum 1.

    k(r) = cutoff * J1(cutoff * r) / (2 * pi * r), J1 the Bessel function; cutoff² / (4 * pi) at r = 0.

    Args:
        size: odd, in pixels.
        cutoff: radians a pixel, at most pi.
    """
    axis = np.arange(size) - size // 2
    x, y = np.meshgrid(axis, axis)
    radius = np.hypot(x, y)
    bessel = cast("Tensor", torch.special.bessel_j1(torch.from_numpy(cutoff * radius)))
    kernel = cutoff * cast("NDArray[np.float64]", bessel.numpy()) / (2 * math.pi * np.maximum(radius, 1))
    kernel[radius == 0] = cutoff**2 / (4 * math.pi)
    return (kernel / kernel.sum()).astype(np.float32)
