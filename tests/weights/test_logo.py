"""A logo's alpha with the networks that people use."""

import numpy as np
import pytest

from esrgan_torch import Upscaler
from esrgan_weights import load
from tests.torch.images.test_uniform_alpha import all_around, larger, logo


@pytest.mark.parametrize(
    "name",
    [
        "esrgan-lite-x4",
        "esrgan-lite-x4-gan",
        pytest.param("realesrgan-x4plus", marks=pytest.mark.official),
        pytest.param("realesrgan-x4plus-anime", marks=pytest.mark.official),
        pytest.param("realesr-animevideov3", marks=pytest.mark.official),
    ],
)
def test_clear_stays_clear_and_opaque_stays_opaque(name: str) -> None:
    alpha = logo(24, 30, np.uint8)
    pixels = np.concatenate([np.full((24, 30, 3), (200, 40, 40), np.uint8), alpha], axis=2)
    result = Upscaler(load(name), "cpu")(pixels)[:, :, 3:]
    kept = all_around(alpha, 4)
    np.testing.assert_array_equal(result[kept], larger(alpha, 4)[kept])
    assert (result[~kept] != larger(alpha, 4)[~kept]).any()
