from pathlib import Path

import numpy as np
import pytest

from esrgan_benchmarks.studies.students import compare, damaged, enlarged, gradient, laplacian, noise_left
from esrgan_torch.images.files import write_image
from esrgan_torch.images.picture import Picture

MODEL = "esrgan-lite-x4"


def test_a_network_is_as_sharp_as_itself_and_sharper_than_bicubic(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (96, 80, 3), np.uint8)
    write_image(tmp_path / "noise.png", Picture(pixels))
    [given] = damaged(tmp_path, 3)
    assert given.shape == (24, 20, 3)
    answers = enlarged(MODEL, [given])
    same = compare(MODEL, MODEL, [given], answers, "noise")
    assert same["gradient"] == same["laplacian"] == 1
    assert same["psnr_rgb"] == float("inf")
    assert same["parameters"] == 355_488
    assert (same["pattern"] < 0.1, same["patterned"]) == (True, 0)
    smooth = compare("bicubic", MODEL, [given], answers, "noise")
    assert smooth["laplacian"] < 1
    assert 10 < smooth["psnr_rgb"] < 60


def test_sharpness_of_a_ramp() -> None:
    ramp = np.repeat(np.arange(0, 100, 2, dtype=np.uint8)[:, None, None].repeat(7, axis=1), 3, axis=2)
    assert gradient(ramp) == pytest.approx(2 * 219 / 255)  # luma of BT.601 spans 219 of 255 levels
    assert laplacian(ramp) == pytest.approx(0, abs=1e-9)


def test_noise_that_is_left() -> None:
    def repeated(picture: Picture) -> Picture:
        return Picture(picture.pixels.repeat(4, axis=0).repeat(4, axis=1))

    def gray(picture: Picture) -> Picture:
        return Picture(np.full_like(repeated(picture).pixels, 90))

    assert noise_left(repeated) == pytest.approx(10, rel=0.05)
    assert noise_left(gray) == 0
