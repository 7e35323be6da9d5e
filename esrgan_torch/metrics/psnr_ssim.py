"""PSNR and SSIM by the protocol of super-resolution papers.

The protocol: pictures of 0-255, as many border pixels cropped as the scale, the Y channel of MATLAB's
rgb2ycbcr (16-235) not rounded. BasicSR, Real-ESRGAN and SwinIR measure so. Y rounded to uint8, as older
MATLAB scripts have it, moves the PSNR by some 0.01 dB.
"""

from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.errors import ConfigError
from esrgan_torch.quantise import decibels

Channel = Literal["y", "rgb"]
Plane = NDArray[np.float64]
Pixel = TypeVar("Pixel", bound=np.generic)

_RANGE = 255.0


def rgb_to_y(image: NDArray[Any]) -> Plane:
    """The Y plane of MATLAB's rgb2ycbcr (ITU-R BT.601): black is 16, white is 235.

    Args:
        image: (H, W, 3), or (H, W, 1) for a gray picture, which counts as three equal channels; uint8,
            uint16 (brought to 0-255 first), or floats in 0-255.

    Returns:
        (H, W), float64, not rounded.

    Raises:
        ConfigError: another shape.
    """
    if image.ndim != 3 or image.shape[2] not in (1, 3):
        raise ConfigError(f"a picture (H, W, 3) or (H, W, 1) is needed, not {image.shape}; drop its alpha")
    values = _to_255(image)
    red, green, blue = (values[:, :, min(channel, image.shape[2] - 1)] for channel in range(3))
    return 16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255


def psnr(a: NDArray[Any], b: NDArray[Any], border: int = 0, *, channel: Channel = "y") -> float:
    """Peak signal-to-noise ratio in dB, of a peak of 255; infinite for equal images.

    Args:
        a, b: of one shape: pictures as for `rgb_to_y`, or planes (H, W), which are compared as they are.
        border: pixels to crop at each side; by the papers' protocol the scale.
        channel: "y", or "rgb" for the mean squared error over all channels.

    Raises:
        ConfigError: the shapes differ, or the border leaves nothing.
    """
    first, second = _prepare(a, b, border, channel, least=1)
    return decibels(float(np.mean(np.square(first - second))))


def ssim(a: NDArray[Any], b: NDArray[Any], border: int = 0, *, channel: Channel = "y") -> float:
    """Structural similarity, at most 1: the mean over all positions where the 11 x 11 window fits.

    Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, range 255, no downsampling before. Source: Wang,
    Bovik, Sheikh, Simoncelli, Image Quality Assessment: From Error Visibility to Structural Similarity,
    IEEE TIP 13(4), 2004.

    Args:
        a, b, border: as for `psnr`.
        channel: "y", or "rgb" for the mean of the three channels' values.

    Raises:
        ConfigError: the shapes differ, or the border leaves less than 11 pixels a side.
    """
    first, second = _prepare(a, b, border, channel, least=11)
    planes = [(first[..., index], second[..., index]) for index in range(first.shape[-1])]
    return sum(_ssim_of_planes(one, other) for one, other in planes) / len(planes)


def _ssim_of_planes(a: Plane, b: Plane) -> float:
    c1, c2 = (0.01 * _RANGE) ** 2, (0.03 * _RANGE) ** 2
    mean_a, mean_b = _blur(a), _blur(b)
    variance_a = _blur(a * a) - mean_a * mean_a
    variance_b = _blur(b * b) - mean_b * mean_b
    covariance = _blur(a * b) - mean_a * mean_b
    numerator = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    denominator = (mean_a * mean_a + mean_b * mean_b + c1) * (variance_a + variance_b + c2)
    return float(np.mean(numerator / denominator))


def _blur(plane: Plane) -> Plane:
    """(H, W) to (H - 10, W - 10): the Gaussian window, one axis after the other."""
    offsets = np.arange(11) - 5
    window = np.exp(-(offsets**2) / (2 * 1.5**2))
    window /= window.sum()
    height, width = plane.shape[0] - 10, plane.shape[1] - 10
    rows = sum((weight * plane[tap : tap + height] for tap, weight in enumerate(window)), np.zeros(1))
    return sum((weight * rows[:, tap : tap + width] for tap, weight in enumerate(window)), np.zeros(1))


def without_border(image: NDArray[Pixel], border: int) -> NDArray[Pixel]:
    """(H, W, ...) without `border` pixels at each side; 0 or more."""
    return image[border : image.shape[0] - border, border : image.shape[1] - border]


def _prepare(
    a: NDArray[Any], b: NDArray[Any], border: int, channel: Channel, least: int
) -> tuple[Plane, Plane]:
    """Both images as (H, W, planes) floats in 0-255, without the border."""
    if a.shape != b.shape:
        raise ConfigError(f"the images differ in size: {a.shape} and {b.shape}")
    if channel not in ("y", "rgb"):
        raise ConfigError(f'channel must be "y" or "rgb", not {channel!r}')
    if border < 0 or min(a.shape[:2]) - 2 * border < least:
        raise ConfigError(
            f"a border of {border} leaves less than {least} pixels a side of images of {a.shape[:2]}"
        )

    def planes(image: NDArray[Any]) -> Plane:
        cropped = without_border(image, border)
        if image.ndim == 2:
            return _to_255(cropped)[:, :, None]
        if channel == "y":
            return rgb_to_y(cropped)[:, :, None]
        if image.shape[2] not in (1, 3):
            raise ConfigError(f"a picture of 1 or 3 channels is needed, not {image.shape[2]}; drop its alpha")
        return _to_255(cropped)

    return planes(a), planes(b)


def _to_255(image: NDArray[Any]) -> Plane:
    values = image.astype(np.float64)
    return values / 257 if image.dtype == np.uint16 else values
