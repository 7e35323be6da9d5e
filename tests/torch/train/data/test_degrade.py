import numpy as np
import pytest

from esrgan_torch.images.files import read_image
from esrgan_torch.images.resample import imresize
from esrgan_torch.metrics.psnr_ssim import psnr
from esrgan_torch.train.data.degrade import degrade, with_noise
from tests.torch.train.conftest import ROOT


def test_degraded_pictures() -> None:
    image = read_image(ROOT / "examples" / "cat.jpg").pixels[:128, :160].copy()
    clean = imresize(image, 32, 40)
    found = [degrade(image, 4, np.random.default_rng(seed)) for seed in range(40)]
    assert {each.shape for each in found} == {(32, 40, 3)}
    assert {each.dtype for each in found} == {np.dtype(np.uint8)}
    quality = [psnr(each, clean, channel="rgb") for each in found]
    # as damaged as the recipe's figures make them, and still the same picture
    assert 15 < min(quality) < 22
    assert 24 < max(quality) < 40


def test_the_same_seed_gives_the_same_picture() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    one, same, other = (degrade(image, 4, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_scales(scale: int) -> None:
    image = np.full((64, 64, 3), 128, np.uint8)
    assert degrade(image, scale, np.random.default_rng(5)).shape == (64 // scale, 64 // scale, 3)


def test_fresh_noise() -> None:
    image = np.full((256, 256, 3), 128, np.uint8)
    spreads = [float(with_noise(image, 4, np.random.default_rng(seed)).std()) for seed in range(40)]
    assert min(spreads) < 3
    assert max(spreads) > 12
    # neighbours know nothing of one another: no filter and no JPEG came after
    small = with_noise(image, 4, np.random.default_rng(int(np.argmax(spreads)))).astype(float) - 128
    assert small.shape == (64, 64, 3)
    assert abs((small[:, 1:] * small[:, :-1]).mean()) < 0.1 * small.var()
