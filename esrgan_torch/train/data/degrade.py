"""Real-ESRGAN's second-order degradation: blur, resize, noise and JPEG, twice (Wang et al. 2021, section 3).

The figures are those of the published recipe (train_realesrgan_x4plus.yml). JPEG is Pillow's own rather than
an approximation that gradients pass through: none are needed here.
"""

import io
import math
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from esrgan_torch.quantise import rounded_levels
from esrgan_torch.train.data.blur import Kernel, Shape, blur_kernel, sinc_kernel

SIZES = (7, 9, 11, 13, 15, 17, 19, 21)  # of kernels, in pixels
SINC = 0.1  # chance that a blur is a sinc filter
FINAL_SINC = 0.8
SECOND_BLUR = 0.8  # chance of the second blur
GRAY_NOISE = 0.4  # chance that noise is the same in all channels
GAUSSIAN = 0.5  # chance that noise is Gaussian; else Poisson
JPEG_QUALITY = (30.0, 95.0)
NOISY_BLUR = 0.5  # own choice: chance of a blur before fresh noise
BETA_GENERALIZED = (0.5, 4.0)
BETA_PLATEAU = (1.0, 2.0)

# isotropic, its generalized and its plateau form, and the same three anisotropic
_SHAPES: tuple[tuple[Shape, bool], ...] = (
    ("gaussian", True),
    ("gaussian", False),
    ("generalized", True),
    ("generalized", False),
    ("plateau", True),
    ("plateau", False),
)
_SHAPE_CHANCES = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)


@dataclass(frozen=True)
class Stage:
    """The figures in which the two rounds differ.

    Args:
        sigma: widths of the blurs, in pixels.
        resize: chances to enlarge, to shrink, to keep the size.
        resize_range: smallest and largest factor.
        gaussian: deviations of the noise, in levels of 255.
        poisson: strengths of the Poisson noise.
    """

    sigma: tuple[float, float]
    resize: tuple[float, float, float]
    resize_range: tuple[float, float]
    gaussian: tuple[float, float]
    poisson: tuple[float, float]


FIRST = Stage((0.2, 3.0), (0.2, 0.7, 0.1), (0.15, 1.5), (1.0, 30.0), (0.05, 3.0))
SECOND = Stage((0.2, 1.5), (0.3, 0.4, 0.3), (0.3, 1.2), (1.0, 25.0), (0.05, 2.5))


def degrade(image: NDArray[np.uint8], scale: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A low-resolution picture as found in the wild, from an original.

    Args:
        image: (H, W, 3), H and W multiples of `scale` and of at least 32.
        scale: of the network that shall undo it.
        rng: every choice comes from it.

    Returns:
        (H / scale, W / scale, 3).
    """
    height, width = image.shape[0] // scale, image.shape[1] // scale
    batch = torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() / 255
    batch = _blur(batch, _random_kernel(FIRST, rng))
    factor = _factor(FIRST, rng)
    batch = _resize(batch, image.shape[0] * factor, image.shape[1] * factor, rng)
    batch = _jpeg(_noise(batch, FIRST, rng), rng)
    if rng.random() < SECOND_BLUR:
        batch = _blur(batch, _random_kernel(SECOND, rng))
    factor = _factor(SECOND, rng)
    batch = _resize(batch, height * factor, width * factor, rng)
    batch = _noise(batch, SECOND, rng)
    # the last JPEG before or after the last resize and sinc filter, with equal chances
    if rng.random() < 0.5:
        batch = _jpeg(_finish(batch, height, width, rng), rng)
    else:
        batch = _finish(_jpeg(batch, rng), height, width, rng)
    return levels(batch)


def with_noise(image: NDArray[np.uint8], scale: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A low-resolution picture with the noise of a camera as it came, from an original.

    `degrade` ends with a JPEG or a filter after the noise. A small network that sees nothing else takes the
    noise of a picture that was never a JPEG for detail, and keeps it.

    Args, returns: as `degrade`.
    """
    height, width = image.shape[0] // scale, image.shape[1] // scale
    batch = torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() / 255
    if rng.random() < NOISY_BLUR:
        batch = _blur(batch, _random_kernel(SECOND, rng))
    batch = F.interpolate(batch, (height, width), mode="bicubic", antialias=True)
    return levels(_noise(batch.clamp(0, 1), SECOND, rng))


def _finish(batch: Tensor, height: int, width: int, rng: np.random.Generator) -> Tensor:
    batch = _resize(batch, height, width, rng)
    if rng.random() < FINAL_SINC:
        batch = _blur(batch, sinc_kernel(int(rng.choice(SIZES)), rng.uniform(math.pi / 3, math.pi)))
    return batch.clamp(0, 1)


def _random_kernel(stage: Stage, rng: np.random.Generator) -> Kernel:
    size = int(rng.choice(SIZES))
    if rng.random() < SINC:
        # small kernels cannot hold low frequencies
        lowest = math.pi / 3 if size < 13 else math.pi / 5
        return sinc_kernel(size, rng.uniform(lowest, math.pi))
    shape, isotropic = _SHAPES[int(rng.choice(len(_SHAPES), p=_SHAPE_CHANCES))]
    first = rng.uniform(*stage.sigma)
    second = first if isotropic else rng.uniform(*stage.sigma)
    turn = 0.0 if isotropic else rng.uniform(-math.pi, math.pi)
    beta = 1.0
    if shape != "gaussian":
        low, high = BETA_GENERALIZED if shape == "generalized" else BETA_PLATEAU
        # below and above 1 with equal chances; a plateau's range starts at 1, so half of them have beta 1
        beta = rng.uniform(low, 1) if rng.random() < 0.5 else rng.uniform(1, high)
    return blur_kernel(size, (first, second), turn, shape, beta)


def _blur(batch: Tensor, kernel: Kernel) -> Tensor:
    """(1, 3, H, W) with reflected borders."""
    reach = kernel.shape[0] // 2
    mode = "reflect" if min(batch.shape[-2:]) > reach else "replicate"
    padded = F.pad(batch, (reach, reach, reach, reach), mode=mode)
    weights = torch.from_numpy(kernel)[None, None].expand(batch.shape[1], 1, -1, -1)
    return F.conv2d(padded, weights, groups=batch.shape[1])


def _factor(stage: Stage, rng: np.random.Generator) -> float:
    up, down, _ = stage.resize
    choice = rng.random()
    if choice < up:
        return rng.uniform(1, stage.resize_range[1])
    return rng.uniform(stage.resize_range[0], 1) if choice < up + down else 1.0


def _resize(batch: Tensor, height: float, width: float, rng: np.random.Generator) -> Tensor:
    """By area, bilinear or bicubic interpolation, without antialiasing, which is part of the damage."""
    size = (max(1, int(height)), max(1, int(width)))
    mode = ("area", "bilinear", "bicubic")[int(rng.integers(3))]
    return F.interpolate(batch, size, mode=mode)


def _noise(batch: Tensor, stage: Stage, rng: np.random.Generator) -> Tensor:
    gaussian = rng.random() < GAUSSIAN
    gray = rng.random() < GRAY_NOISE
    if gaussian:
        channels = 1 if gray else batch.shape[1]
        noise = rng.standard_normal((1, channels, *batch.shape[-2:]), np.float32)
        return (batch + torch.from_numpy(noise) * (rng.uniform(*stage.gaussian) / 255)).clamp(0, 1)
    clean = rounded_levels(batch) / 255
    if gray:
        weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
        clean = (clean * weights).sum(1, keepdim=True)
        clean = rounded_levels(clean) / 255
    # the photons a level stands for: as many as the picture has levels, rounded up to a power of 2
    values = cast("NDArray[np.float32]", clean.numpy())
    photons = 2 ** math.ceil(math.log2(max(2, np.unique(values).size)))
    counts = rng.poisson(values * np.float32(photons)).astype(np.float32)
    drawn = torch.from_numpy(counts) / photons
    return (batch + (drawn - clean) * rng.uniform(*stage.poisson)).clamp(0, 1)


def _jpeg(batch: Tensor, rng: np.random.Generator) -> Tensor:
    file = io.BytesIO()
    Image.fromarray(levels(batch)).save(file, "JPEG", quality=round(rng.uniform(*JPEG_QUALITY)))
    with Image.open(file) as image:
        pixels = np.array(image)
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].float() / 255


def levels(batch: Tensor) -> NDArray[np.uint8]:
    """(1, 3, H, W) -> (H, W, 3)."""
    values = cast("NDArray[np.float32]", rounded_levels(batch[0]).numpy())
    return np.ascontiguousarray(values.transpose(1, 2, 0).astype(np.uint8))
