from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from esrgan_torch.datasets.colour import opaque, read_colour, read_rgb
from esrgan_torch.images.picture import Picture


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_is_transparent_lies_on_white(dtype: type) -> None:
    white = np.iinfo(dtype).max
    pixels = np.array([[[9, 0, white], [9, white, white], [9, white, 0]]], dtype)[..., [0, 1, 1, 2]]
    made = opaque(Picture(pixels))
    assert made.dtype == np.uint8
    assert made[0, 2].tolist() == [255] * 3  # the colour under nothing does not show
    assert made[0, 1].tolist()[1:] == [255, 255]
    assert made[0, 0].tolist()[1:] == [0, 0]


def test_half_transparent_is_the_mean_with_white_for_every_level() -> None:
    levels = np.arange(256, dtype=np.uint8)
    for alpha in (0, 1, 127, 128, 254, 255):
        pixels = np.stack([levels, np.full(256, alpha, np.uint8)], -1)[None]
        expected = np.rint((levels.astype(float) * alpha + 255.0 * (255 - alpha)) / 255)
        assert np.array_equal(opaque(Picture(pixels))[0, :, 0], expected)


def test_palettes_gray_and_16_bits(tmp_path: Path) -> None:
    palette = Image.new("P", (3, 2), 1)
    palette.putpalette([0, 0, 0, 200, 100, 50])
    palette.save(tmp_path / "palette.png")
    assert read_rgb(tmp_path / "palette.png")[0, 0].tolist() == [200, 100, 50]
    Image.new("L", (3, 2), 7).save(tmp_path / "gray.png")
    assert read_colour(tmp_path / "gray.png").shape == (2, 3, 1)
    assert read_rgb(tmp_path / "gray.png")[0, 0].tolist() == [7, 7, 7]
    Image.new("I;16", (3, 2), 128 * 257 + 128).save(tmp_path / "deep.png")
    assert read_rgb(tmp_path / "deep.png")[0, 0].tolist() == [128, 128, 128]
