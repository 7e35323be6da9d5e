"""Pictures that survive the way to a file and back, and options that cannot be."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from esrgan_torch.errors import ConfigError, ImageWriteError
from esrgan_torch.images.files import Picture, check_output, read_image, write_image


def smooth(channels: int, bits: int = 8, height: int = 37, width: int = 53) -> NDArray[np.uint8 | np.uint16]:
    """A gradient in every channel, so that lossy formats stay close; alpha runs from clear to opaque."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [(k * y + x) / (k * height + width) for k in (1, 3, 4)]
    alpha = x / (width - 1)
    chosen = planes[:1] if channels < 3 else planes
    if channels in (2, 4):
        chosen = [*chosen, alpha]
    maximum = (1 << bits) - 1
    return np.rint(np.stack(chosen, axis=2) * maximum).astype(np.uint8 if bits == 8 else np.uint16)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("suffix", ["png", "tiff", "tif"])
def test_lossless_formats_return_the_same_pixels(
    tmp_path: Path, channels: int, bits: int, suffix: str
) -> None:
    pixels = smooth(channels, bits)
    write_image(tmp_path / f"a.{suffix}", Picture(pixels))
    back = read_image(tmp_path / f"a.{suffix}")
    assert back.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(back.pixels, pixels)


@pytest.mark.parametrize("channels", [1, 3])
def test_bmp_returns_the_same_pixels(tmp_path: Path, channels: int) -> None:
    pixels = smooth(channels)
    write_image(tmp_path / "a.bmp", pixels)
    np.testing.assert_array_equal(read_image(tmp_path / "a.bmp").pixels, pixels)


@pytest.mark.parametrize(
    ("suffix", "channels", "read_channels"),
    [
        ("jpg", 1, 1),
        ("jpg", 3, 3),
        ("jpeg", 3, 3),
        ("webp", 1, 3),
        ("webp", 2, 4),
        ("webp", 3, 3),
        ("webp", 4, 4),
        ("avif", 2, 4),
        ("avif", 3, 3),
        ("avif", 4, 4),
    ],
)
@pytest.mark.parametrize("bits", [8, 16])
def test_lossy_formats_stay_close(
    tmp_path: Path, suffix: str, channels: int, read_channels: int, bits: int
) -> None:
    path = tmp_path / f"a.{suffix}"
    write_image(path, smooth(channels, bits))
    back = read_image(path)
    assert back.bits == 8
    assert back.channels == read_channels
    expected = smooth(channels)
    if read_channels >= 3 > channels:
        expected = np.concatenate([expected[:, :, :1].repeat(3, axis=2), expected[:, :, 1:]], axis=2)
    visible = expected[:, :, -1:] > 8 if back.has_alpha else np.ones((1, 1, 1), bool)
    difference = np.abs(back.pixels.astype(int) - expected) * visible
    assert difference.mean() < 2
    assert difference.max() <= 16


def test_avif_gray_keeps_its_values(tmp_path: Path) -> None:
    write_image(tmp_path / "a.avif", smooth(1))
    back = read_image(tmp_path / "a.avif").pixels
    assert np.abs(back.astype(int) - smooth(1)).max() <= 8


def test_lossless_webp(tmp_path: Path) -> None:
    pixels = smooth(4)  # colours under full transparency included
    write_image(tmp_path / "a.webp", pixels, lossless=True)
    np.testing.assert_array_equal(read_image(tmp_path / "a.webp").pixels, pixels)


def test_quality_changes_the_size(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for suffix in ("jpg", "webp", "avif"):
        sizes: list[int] = []
        for quality in (20, 60, 100):
            write_image(tmp_path / f"a.{suffix}", pixels, quality=quality)
            sizes.append((tmp_path / f"a.{suffix}").stat().st_size)
        assert sizes == sorted(set(sizes)), suffix


def test_jpeg_keeps_colour_at_full_resolution(tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg", smooth(3))
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.layer[1][1:3] == image.layer[0][1:3] == (1, 1)


def test_16_bits_round_to_the_nearest_of_8(tmp_path: Path) -> None:
    values = np.array([0, 128, 129, 257, 385, 386, 65535 - 128, 65535 - 129, 65535], np.uint16)
    write_image(tmp_path / "a.bmp", values.reshape(1, -1, 1))
    assert read_image(tmp_path / "a.bmp").pixels.ravel().tolist() == [0, 0, 1, 1, 1, 2, 255, 254, 255]


def test_format_argument_goes_before_the_suffix(tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg", smooth(3), format="PNG")
    assert (tmp_path / "a.jpg").read_bytes().startswith(b"\x89PNG")
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg").pixels, smooth(3))


def test_2d_array_is_a_gray_picture(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", smooth(1)[:, :, 0])
    assert read_image(tmp_path / "a.png").channels == 1


def test_non_ascii_path(tmp_path: Path) -> None:
    folder = tmp_path / "Möwe 写真 🦢"
    folder.mkdir()
    for suffix in ("png", "jpg", "webp", "tif", "avif", "bmp"):
        path = folder / f"żółw.{suffix}"
        write_image(path, smooth(3))
        assert read_image(path).width == 53


def test_dark_16_bit_stays_16_bit(tmp_path: Path) -> None:
    dark = smooth(3, 16) // 300  # no value above 255
    assert dark.max() < 256
    for suffix in ("png", "tif"):
        write_image(tmp_path / f"dark.{suffix}", dark)
        back = read_image(tmp_path / f"dark.{suffix}")
        assert back.bits == 16
        np.testing.assert_array_equal(back.pixels, dark)


@pytest.mark.parametrize("side", [(1, 1), (1, 300), (300, 1)])
def test_thin_pictures(tmp_path: Path, side: tuple[int, int]) -> None:
    for suffix in ("png", "tif", "bmp", "jpg", "webp", "avif"):
        write_image(tmp_path / f"a.{suffix}", np.full((*side, 3), 128, np.uint8))
        assert read_image(tmp_path / f"a.{suffix}").pixels.shape == (*side, 3)


def test_large_tiff_has_many_strips_and_others_read_it(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 65536, (700, 500, 3), dtype=np.uint16)
    write_image(tmp_path / "a.tif", pixels)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert len(file.pages.first.dataoffsets) > 1
        np.testing.assert_array_equal(file.pages.first.asarray(), pixels)
    write_image(tmp_path / "b.tif", (pixels >> 8).astype(np.uint8))
    with Image.open(tmp_path / "b.tif") as image:
        np.testing.assert_array_equal(np.asarray(image), pixels >> 8)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.xyz", {}, "'xyz' is not a format"),
        ("a", {}, "no suffix"),
        ("a.png", {"format": "psd"}, "'psd' is not a format"),
        ("a.png", {"quality": 90}, "has no quality"),
        ("a.tif", {"quality": 90}, "has no quality"),
        ("a.jpg", {"quality": 0}, "1 to 100"),
        ("a.jpg", {"quality": 101}, "1 to 100"),
        ("a.jpg", {"lossless": True}, "without loss"),
        ("a.avif", {"lossless": True}, "without loss"),
        ("a.webp", {"lossless": True, "quality": 90}, "exclude each other"),
    ],
)
def test_options_that_cannot_be(tmp_path: Path, name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        write_image(tmp_path / name, smooth(3), **options)
    with pytest.raises(ConfigError, match=message):
        check_output(tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["jpg", "bmp"])
def test_alpha_is_not_dropped_silently(tmp_path: Path, suffix: str) -> None:
    for channels in (2, 4):
        with pytest.raises(ConfigError, match='alpha="drop"'):
            write_image(tmp_path / f"a.{suffix}", smooth(channels))


@pytest.mark.parametrize(
    ("suffix", "side"), [("webp", 16_384), ("jpg", 65_501), ("avif", 32_769), ("png", 1_000_001)]
)
def test_sides_that_a_format_cannot_hold(tmp_path: Path, suffix: str, side: int) -> None:
    with pytest.raises(ImageWriteError, match=f"a.{suffix}: .*sides end at {side - 1}"):
        write_image(tmp_path / f"a.{suffix}", np.zeros((1, side, 1), np.uint8))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("suffix", "side"), [("webp", 16_383), ("jpg", 65_500), ("avif", 32_768), ("png", 1_000_000)]
)
def test_largest_side_is_written(tmp_path: Path, suffix: str, side: int) -> None:
    write_image(tmp_path / f"a.{suffix}", np.zeros((1, side, 1), np.uint8))
    assert read_image(tmp_path / f"a.{suffix}").width == side


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.int64),
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
    ],
)
def test_arrays_that_are_no_picture(pixels: NDArray[np.uint8]) -> None:
    with pytest.raises(ConfigError, match="a picture has"):
        Picture(pixels)


def test_picture_properties() -> None:
    picture = Picture(smooth(4, 16), icc_profile=b"p", exif=b"e")
    assert (picture.height, picture.width, picture.channels) == (37, 53, 4)
    assert (picture.has_alpha, picture.bits, picture.maximum) == (True, 16, 65535)
    other = picture.with_pixels(smooth(3))
    assert (other.channels, other.bits, other.maximum, other.has_alpha) == (3, 8, 255, False)
    assert (other.icc_profile, other.exif) == (b"p", b"e")
