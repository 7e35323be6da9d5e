"""PSNR and SSIM against their definitions."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from esrgan_torch.errors import ConfigError
from esrgan_torch.metrics.psnr_ssim import psnr, rgb_to_y, ssim


def noise(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_y_of_matlab() -> None:
    colours = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    expected = [16, 235, 16 + 65.481, 16 + 128.553, 16 + 24.966]
    np.testing.assert_allclose(rgb_to_y(colours)[0], expected, rtol=1e-12)


def test_gray_counts_as_rgb_and_16_bits_as_8() -> None:
    gray = noise((5, 6, 1))
    np.testing.assert_allclose(rgb_to_y(gray), rgb_to_y(gray.repeat(3, axis=2)))
    np.testing.assert_allclose(rgb_to_y(gray.astype(np.uint16) * 257), rgb_to_y(gray))
    np.testing.assert_allclose(rgb_to_y(gray.astype(np.float32)), rgb_to_y(gray))


def test_psnr_of_known_error() -> None:
    a = np.full((20, 20), 100.0)
    assert psnr(a, a + 1) == pytest.approx(48.1308, abs=1e-4)
    assert psnr(a, a + 255) == pytest.approx(0)
    assert psnr(a, a) == math.inf


def test_planes_are_compared_as_they_are_and_gray_pictures_in_16_to_235() -> None:
    a, b = noise((30, 30), 1), noise((30, 30), 2)
    shrunk = psnr(a[:, :, None], b[:, :, None])
    assert shrunk - psnr(a, b) == pytest.approx(20 * math.log10(255 / 219))  # 1.32 dB


def test_border_is_cropped() -> None:
    a = noise((30, 40, 3))
    b = a.copy()
    b[:4], b[-4:], b[:, :4], b[:, -4:] = 0, 0, 0, 0
    assert psnr(a, b, 4) == math.inf
    assert ssim(a, b, 4) == pytest.approx(1)
    assert psnr(a, b, 3) < 40
    assert ssim(a, b, 3) < 1


def test_rgb_is_over_all_channels() -> None:
    a, b = noise((30, 30, 3), 1), noise((30, 30, 3), 2)
    error = np.mean((a.astype(float) - b) ** 2)
    assert psnr(a, b, channel="rgb") == pytest.approx(10 * math.log10(255**2 / error))
    each = [ssim(a[:, :, c], b[:, :, c]) for c in range(3)]
    assert ssim(a, b, channel="rgb") == pytest.approx(np.mean(each))


def test_ssim_agrees_with_the_paper_window_by_window() -> None:
    a = noise((14, 17)).astype(float)
    b = np.clip(a + np.random.default_rng(1).normal(0, 20, a.shape), 0, 255)
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets[:, None] ** 2 + offsets[None, :] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    values: list[float] = []
    for top in range(4):
        for left in range(7):
            x, y = a[top : top + 11, left : left + 11], b[top : top + 11, left : left + 11]
            mx, my = (window * x).sum(), (window * y).sum()
            vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
            cov = (window * (x - mx) * (y - my)).sum()
            c1, c2 = 2.55**2, 7.65**2
            values.append((2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
    assert ssim(a, b) == pytest.approx(np.mean(values), abs=1e-12)


def test_ssim_properties() -> None:
    a, b = noise((30, 30, 3), 1), noise((30, 30, 3), 2)
    assert ssim(a, a) == pytest.approx(1)
    assert ssim(a, b) == pytest.approx(ssim(b, a))
    assert ssim(a, b) < 0.1
    assert ssim(a, 255 - a) < 0


def test_16_bits_give_the_same_numbers() -> None:
    a, b = noise((30, 30, 3), 1), noise((30, 30, 3), 2)
    wide_a, wide_b = a.astype(np.uint16) * 257, b.astype(np.uint16) * 257
    assert psnr(wide_a, wide_b, 2) == pytest.approx(psnr(a, b, 2))
    assert ssim(wide_a, wide_b, 2, channel="rgb") == pytest.approx(ssim(a, b, 2, channel="rgb"))


def test_what_cannot_be() -> None:
    a = noise((20, 20, 3))
    with pytest.raises(ConfigError, match="differ in size"):
        psnr(a, a[:-1])
    with pytest.raises(ConfigError, match="leaves less than 1 "):
        psnr(a, a, 10)
    with pytest.raises(ConfigError, match="leaves less than 11 "):
        ssim(a, a, 5)
    with pytest.raises(ConfigError, match="leaves less"):
        psnr(a, a, -1)
    with pytest.raises(ConfigError, match="drop its alpha"):
        psnr(noise((20, 20, 4)), noise((20, 20, 4)))
    with pytest.raises(ConfigError, match="drop its alpha"):
        psnr(noise((20, 20, 2)), noise((20, 20, 2)), channel="rgb")
    with pytest.raises(ConfigError, match='"y" or "rgb"'):
        psnr(a, a, channel="Y")  # type checkers see it too; users of notebooks have none
    with pytest.raises(ConfigError, match="is needed"):
        rgb_to_y(noise((20, 20)))
