import numpy as np
import pytest
from PIL import Image, ImageCms

from esrgan_cli.upscaling.background import on_background, parse_colour
from esrgan_torch.errors import ConfigError
from esrgan_torch.images.picture import Picture


def test_colours() -> None:
    assert parse_colour("white") == (255, 255, 255)
    assert parse_colour("#f80") == (255, 136, 0)
    assert parse_colour("rgb(1, 2, 3)") == (1, 2, 3)
    with pytest.raises(ConfigError, match="'whit' is no colour"):
        parse_colour("whit")
    with pytest.raises(ConfigError, match="not transparent itself"):
        parse_colour("#ff000080")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_it_is_mixed_as_pillow_mixes(dtype: type) -> None:
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (300, 7, 4), np.uint8)
    pixels = small.astype(dtype) * (np.iinfo(dtype).max // 255)
    mixed = on_background(Picture(pixels), (10, 200, 90)).pixels
    colour = Image.new("RGBA", (7, 300), (10, 200, 90, 255))
    expected = np.asarray(Image.alpha_composite(colour, Image.fromarray(small)).convert("RGB"), np.int64)
    assert mixed.dtype == dtype
    assert mixed.shape == (300, 7, 3)
    assert np.abs(mixed.astype(np.int64) / (np.iinfo(dtype).max // 255) - expected).max() <= 1


def test_the_ends_are_exact() -> None:
    for dtype in (np.uint8, np.uint16):
        top = np.iinfo(dtype).max
        pixels = np.array([[[top, 7, 0, top], [9, 9, 9, 0]]], dtype)
        mixed = on_background(Picture(pixels), (255, 255, 0)).pixels
        assert mixed.tolist() == [[[top, 7, 0], [top, top, 0]]]


def test_gray_stays_gray_on_gray() -> None:
    gray = Picture(np.array([[[100, 0], [100, 255]]], np.uint8))
    assert on_background(gray, (255, 255, 255)).pixels.tolist() == [[[255], [100]]]
    assert on_background(gray, (255, 0, 0)).pixels.tolist() == [[[255, 0, 0], [100, 100, 100]]]
    opaque = Picture(np.zeros((2, 2, 3), np.uint8))
    assert on_background(opaque, (255, 0, 0)) is opaque


def test_a_wide_profile_gets_the_colour_in_its_own_space() -> None:
    clear = np.zeros((1, 1, 4), np.uint8)
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert on_background(Picture(clear, lab), (200, 100, 50)).pixels.tolist() == [[[200, 100, 50]]]
    assert on_background(Picture(clear, b"damaged" * 40), (9, 8, 7)).pixels.tolist() == [[[9, 8, 7]]]
