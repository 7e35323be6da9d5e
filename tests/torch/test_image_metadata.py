"""Orientation, EXIF and ICC profiles: applied, carried, and never attached to pixels that they do not fit."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from esrgan_torch.image_metadata import fitting_profile, orient, take_orientation
from esrgan_torch.images import Picture, read_image, write_image

ORIENTATIONS = range(1, 9)
UPRIGHT = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
RGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GRAY_PROFILE = b"\0" * 16 + b"GRAY" + b"\0" * 108
CAMERA = "Camera Obscura"
EXPOSURE = (1, 250)


def exif_block(orientation: int | None = None) -> bytes:
    exif = Image.Exif()
    exif[0x0110] = CAMERA
    if orientation is not None:
        exif[0x0112] = orientation
    exif.get_ifd(0x8769)[0x829A] = EXPOSURE[0] / EXPOSURE[1]  # exposure time, in a directory of its own
    exif[0x8769] = exif.get_ifd(0x8769)
    return exif.tobytes().removeprefix(b"Exif\0\0")


def stored_for(orientation: int, upright: NDArray[np.uint8]) -> Image.Image:
    """The picture as a camera would store it with this orientation, so that Pillow turns it upright."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = Image.fromarray(upright)
    return image.transpose(undo[orientation]) if orientation in undo else image


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


def test_exif_bytes_are_otherwise_untouched(tmp_path: Path) -> None:
    block = exif_block(6)
    stored_for(6, UPRIGHT).save(tmp_path / "a.jpg", exif=b"Exif\0\0" + block)
    exif = read_image(tmp_path / "a.jpg").exif
    assert exif is not None
    assert [place for place, (a, b) in enumerate(zip(exif, block, strict=True)) if a != b] != []
    assert sum(a != b for a, b in zip(exif, block, strict=True)) == 1  # one byte of 6 became 1


def test_descriptions_of_a_tiff_become_exif_and_its_layout_does_not(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", UPRIGHT, photometric="rgb", software="by hand", description="a swan")
    write_image(tmp_path / "b.jpg", read_image(tmp_path / "a.tif"))
    with Image.open(tmp_path / "b.jpg") as image:
        assert dict(image.getexif()) == {0x0131: "by hand", 0x010E: "a swan"}


@pytest.mark.parametrize("order", ["<", ">"])
def test_take_orientation(order: str) -> None:
    head = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, 8, 0)
    block = head + struct.pack(order + "IH", 8, 1) + entry + b"\0" * 4
    expected = block.replace(entry, struct.pack(order + "HHIHH", 0x0112, 3, 1, 1, 0))
    assert take_orientation(block) == (8, expected)
    assert take_orientation(b"Exif\0\0" + block) == (8, expected)
    assert take_orientation(expected) == (1, expected)


def test_exif_that_no_reader_could_use_is_dropped() -> None:
    assert take_orientation(None) == (1, None)
    assert take_orientation(b"") == (1, None)
    assert take_orientation(b"garbage") == (1, None)
    assert take_orientation(b"II*\0") == (1, None)
    assert take_orientation(exif_block(3)[:20]) == (1, None)
    assert take_orientation(b"II*\0\xff\xff\xff\xff") == (1, None)
    assert take_orientation(exif_block(99))[0] == 1


def test_exif_too_long_for_a_jpg_is_left_out_with_a_warning(tmp_path: Path) -> None:
    picture = Picture(UPRIGHT, exif=exif_block() + b"\0" * 70_000)
    with pytest.warns(UserWarning, match="more than a jpg can hold"):
        write_image(tmp_path / "a.jpg", picture)
    assert read_image(tmp_path / "a.jpg").exif is None
    write_image(tmp_path / "a.png", picture)
    assert read_image(tmp_path / "a.png").exif == picture.exif


def test_fitting_profile() -> None:
    for channels in (1, 2):
        assert fitting_profile(GRAY_PROFILE, channels) == GRAY_PROFILE
        assert fitting_profile(RGB_PROFILE, channels) is None
    for channels in (3, 4):
        assert fitting_profile(GRAY_PROFILE, channels) is None
        assert fitting_profile(RGB_PROFILE, channels) == RGB_PROFILE
    assert fitting_profile(None, 3) is None
    assert fitting_profile(b"short", 3) is None


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp"])
def test_profiles_follow_the_channels(tmp_path: Path, suffix: str) -> None:
    gray = UPRIGHT[:, :, :1]
    write_image(tmp_path / f"a.{suffix}", Picture(gray, GRAY_PROFILE))
    # webp has no gray: the picture becomes RGB and the profile stays behind
    assert read_image(tmp_path / f"a.{suffix}").icc_profile == (None if suffix == "webp" else GRAY_PROFILE)
    write_image(tmp_path / f"b.{suffix}", Picture(UPRIGHT, GRAY_PROFILE))
    with Image.open(tmp_path / f"b.{suffix}") as image:
        assert "icc_profile" not in image.info


def test_profile_of_other_channels_in_a_file_is_not_read(tmp_path: Path) -> None:
    Image.fromarray(UPRIGHT).save(tmp_path / "a.png", icc_profile=GRAY_PROFILE)
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
    picture = read_image(tmp_path / "a.png")
    assert picture.icc_profile is None
    np.testing.assert_array_equal(picture.pixels, UPRIGHT)
