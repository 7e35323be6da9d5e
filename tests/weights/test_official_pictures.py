"""The official weights on real pictures: exactness, precision, and the figures that others measured."""

from pathlib import Path

import numpy as np
import pytest
import torch

from esrgan_torch import Picture, Tiling, Upscaler, read_image
from esrgan_torch.images.picture import Pixels
from esrgan_torch.metrics.protocol import evaluate
from esrgan_torch.metrics.psnr_ssim import psnr
from esrgan_weights import load
from tests.support.rounding import assert_equal_to_rounding

pytestmark = pytest.mark.official
PHOTO = Path(__file__).parents[2] / "examples" / "cat.jpg"
NAMES = ("realesrgan-x4plus", "realesrgan-x4plus-anime", "realesr-animevideov3")


@pytest.fixture(scope="module")
def crop() -> Pixels:
    return read_image(PHOTO).pixels[30:100, 20:110].copy()


@pytest.mark.parametrize("name", NAMES)
def test_exact_tiling_gives_the_untiled_8_bit_picture(name: str, crop: Pixels) -> None:
    model = load(name)
    whole = Upscaler(model, "cpu", "float32", "off")(crop)
    tiled = Upscaler(model, "cpu", "float32", Tiling("exact", 32)).upscale(Picture(crop))
    assert tiled.exact
    assert_equal_to_rounding(tiled.picture.pixels, whole)


@pytest.mark.parametrize("name", NAMES)
def test_the_engine_gives_the_bare_networks_picture(name: str, crop: Pixels) -> None:
    model = load(name)
    batch = torch.from_numpy(crop).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        bare = model(batch)[0].permute(1, 2, 0).clamp(0, 1).mul(255).numpy()
    ours = Upscaler(model, "cpu", "float32")(crop).astype(np.float64)
    assert np.abs(ours - bare).max() <= 0.51  # levels: half of one is rounding itself


@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_stays_above_50_decibels_on_a_photo(name: str, crop: Pixels) -> None:
    model = load(name)
    small = crop[:40, :40].copy()
    exact = Upscaler(model, "cpu", "float32")(small)
    assert psnr(Upscaler(model, "cpu", "bfloat16")(small), exact, channel="rgb") > 50


def test_a_16_bit_gradient_keeps_its_steps_unless_half_precision_is_asked_for() -> None:
    values = np.linspace(40000, 45000, 48 * 64).reshape(48, 64, 1).astype(np.uint16)
    gradient, model = np.repeat(values, 3, axis=2), load("realesrgan-x4plus-anime")
    by_default = Upscaler(model, "cpu").upscale(Picture(gradient))
    half = Upscaler(model, "cpu", "bfloat16").upscale(Picture(gradient))
    exact = Upscaler(model, "cpu", "float32")(gradient)
    assert by_default.dtype == "float32"
    assert np.abs(by_default.picture.pixels.astype(int) - exact).max() <= 2
    assert len(np.unique(by_default.picture.pixels)) > 4000
    assert half.dtype == "bfloat16"
    assert len(np.unique(half.picture.pixels)) < 100


def test_realesrgan_x4plus_has_the_known_figures_on_set5(shared_data: Path) -> None:
    upscaler = Upscaler(load("realesrgan-x4plus"), "cpu", "float32")
    mean = evaluate(upscaler, shared_data / "eval" / "Set5").mean
    # from the full-precision file: 26.633 dB, 0.8068; 24.359 dB in RGB
    assert mean.psnr_y == pytest.approx(26.633, abs=0.01)
    assert mean.ssim_y == pytest.approx(0.8068, abs=0.0005)
    assert mean.psnr_rgb == pytest.approx(24.359, abs=0.01)
