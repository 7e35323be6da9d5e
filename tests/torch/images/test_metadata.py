"""Orientation, EXIF and ICC profiles: applied, carried, and never attached to pixels that they do not fit."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from esrgan_torch.images.exif import take_orientation
from esrgan_torch.images.files import Picture, read_image, write_image
from esrgan_torch.images.metadata import orient
from tests.torch.images.samples import CAMERA, EXPOSURE, IPTC, TEXTS, UPRIGHT, XMP, exif_block, stored_for

ORIENTATIONS = range(1, 9)


RGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


GRAY_PROFILE = b"\0" * 16 + b"GRAY" + b"\0" * 108


def orientation_of(exif: bytes | None) -> int:
    return take_orientation(exif)[0]


def camera_and_exposure(exif: bytes | None) -> tuple[object, object]:
    assert exif is not None
    loaded = Image.Exif()
    loaded.load(exif)
    return loaded.get(0x0110), loaded.get_ifd(0x8769).get(0x829A)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "avif"])
def test_orientation_is_applied_and_removed(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = tmp_path / f"a.{suffix}"
    options: dict[str, object] = {"webp": {"lossless": True}, "png": {}}.get(suffix, {"quality": 100})
    if suffix in ("jpg", "avif"):
        options["subsampling"] = "4:4:4"
    stored_for(orientation, UPRIGHT).save(path, exif=b"Exif\0\0" + exif_block(orientation), **options)
    picture = read_image(path)
    assert picture.pixels.shape == UPRIGHT.shape
    difference = np.abs(picture.pixels.astype(int) - UPRIGHT)
    assert difference.max() <= {"png": 0, "webp": 0, "jpg": 12, "avif": 6}[suffix]
    assert orientation_of(picture.exif) == 1
    assert camera_and_exposure(picture.exif)[0] == CAMERA


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_orientation_of_16_bit_png(tmp_path: Path, orientation: int) -> None:
    stored = np.asarray(stored_for(orientation, UPRIGHT)).astype(np.uint16) * 257
    write_image(tmp_path / "a.png", Picture(stored, exif=exif_block(orientation)))
    picture = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(picture.pixels, UPRIGHT.astype(np.uint16) * 257)
    assert orientation_of(picture.exif) == 1


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("kind", ["8-bit", "16-bit", "CMYK", "palette"])
def test_orientation_of_tiff(tmp_path: Path, orientation: int, kind: str) -> None:
    path = tmp_path / "a.tif"
    image, factor = stored_for(orientation, UPRIGHT), 1
    if kind == "CMYK":
        image.convert("CMYK").save(path, tiffinfo={0x0112: orientation})
    elif kind == "palette":
        image.quantize(256).save(path, tiffinfo={0x0112: orientation}, compression="tiff_lzw")
    else:
        factor = 257 if kind == "16-bit" else 1
        pixels = (np.asarray(image).astype(np.uint16) * factor).astype(np.uint16 if factor > 1 else np.uint8)
        tifffile.imwrite(path, pixels, photometric="rgb", extratags=[(0x0112, "H", 1, orientation)])
    picture = read_image(path)
    assert picture.pixels.shape == UPRIGHT.shape
    assert np.abs(picture.pixels.astype(int) - UPRIGHT.astype(int) * factor).max() <= (kind == "CMYK")


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_orient_agrees_with_pillow(orientation: int, dtype: type[np.uint8 | np.uint16]) -> None:
    pixels = np.arange(2 * 3, dtype=dtype).reshape(2, 3, 1)
    image = Image.fromarray(pixels[:, :, 0].astype(np.uint8))
    image.getexif()[0x0112] = orientation
    result = orient(pixels, orientation)
    np.testing.assert_array_equal(result[:, :, 0], np.asarray(ImageOps.exif_transpose(image)))
    assert result.dtype == dtype
    assert result.flags.c_contiguous


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp", "avif"])
@pytest.mark.parametrize("bits", [8, 16])
def test_profile_and_exif_are_carried(tmp_path: Path, suffix: str, bits: int) -> None:
    pixels = UPRIGHT if bits == 8 else UPRIGHT.astype(np.uint16) * 257
    write_image(tmp_path / f"a.{suffix}", Picture(pixels, RGB_PROFILE, exif_block()))
    picture = read_image(tmp_path / f"a.{suffix}")
    assert picture.icc_profile == RGB_PROFILE
    assert camera_and_exposure(picture.exif) == (CAMERA, EXPOSURE[0] / EXPOSURE[1])


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp", "avif"])
def test_other_programs_find_profile_and_exif(tmp_path: Path, suffix: str) -> None:
    write_image(tmp_path / f"a.{suffix}", Picture(UPRIGHT, RGB_PROFILE, exif_block()))
    with Image.open(tmp_path / f"a.{suffix}") as image:
        image.load()
        assert image.info["icc_profile"] == RGB_PROFILE
        assert image.getexif()[0x0110] == CAMERA
        assert image.getexif().get_ifd(0x8769)[0x829A] == EXPOSURE[0] / EXPOSURE[1]


def test_without_metadata_keeps_what_changes_the_colours() -> None:
    full = Picture(UPRIGHT, RGB_PROFILE, exif_block(), XMP, IPTC, TEXTS, (300.0, 300.0), frames=3)
    bare = full.without_metadata()
    assert bare.pixels is full.pixels
    assert bare.icc_profile == RGB_PROFILE
    assert (bare.exif, bare.xmp, bare.iptc, bare.texts, bare.density) == (None, None, None, (), None)


def test_profiles_that_no_reader_could_use_are_left_out_with_a_warning(tmp_path: Path) -> None:
    for suffix in ("png", "tif", "jpg", "webp"):
        with pytest.warns(UserWarning, match="does not fit"):
            write_image(tmp_path / f"b.{suffix}", Picture(UPRIGHT, GRAY_PROFILE))
        with Image.open(tmp_path / f"b.{suffix}") as image:
            assert "icc_profile" not in image.info
    Image.fromarray(UPRIGHT).save(tmp_path / "a.png", icc_profile=GRAY_PROFILE)
    with pytest.warns(UserWarning, match="does not describe RGB pixels"):
        assert read_image(tmp_path / "a.png").icc_profile is None


def cmyk_profile(lightness: int) -> bytes:
    """A minimal ICC profile: no ink is white, black ink is black, any other full ink one gray of CIELAB.

    (lut8Type, ICC.1:2001 6.5.8.) White and black are there for lcms, which scales by the black point.
    """
    inks = [255, *[lightness] * 15]
    inks[1::2] = [0] * 8  # the last of the four inks, black, varies fastest
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0])
    table += struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table += bytes(range(256)) * 4 + b"".join(bytes([ink, 128, 128]) for ink in inks) + bytes(range(256)) * 3
    table += b"\0" * (-len(table) % 4)
    size = 128 + 4 + 12 + len(table)
    header = struct.pack(">I4sI4s4s4s", size, b"\0" * 4, 0x02100000, b"prtr", b"CMYK", b"Lab ")
    header += b"\0" * 12 + b"acsp" + b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061)
    header += b"\0" * (128 - len(header))
    return header + struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_goes_through_its_profile_and_the_profile_ends_there(tmp_path: Path, suffix: str) -> None:
    stored = Image.new("CMYK", (8, 8), (0, 255, 255, 0))  # red by Pillow's plain formula
    stored.save(tmp_path / f"a.{suffix}", icc_profile=cmyk_profile(128))
    picture = read_image(tmp_path / f"a.{suffix}")
    assert picture.icc_profile is None
    assert np.abs(picture.pixels.astype(int) - 119).max() <= 3  # L* = 50 is about 119 in sRGB


def test_damaged_profile_of_a_png_is_left_out(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(UPRIGHT).save(stream, "PNG")
    data = stream.getvalue()
    chunk = b"iCCP" + b"name\0\0not deflate"
    broken = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", 0)
    (tmp_path / "a.png").write_bytes(data[:33] + broken + data[33:])
    with pytest.warns(UserWarning, match="its chunk iCCP is damaged"):
        picture = read_image(tmp_path / "a.png")
    assert picture.icc_profile is None
    np.testing.assert_array_equal(picture.pixels, UPRIGHT)
