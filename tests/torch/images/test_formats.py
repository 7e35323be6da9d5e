"""Formats beyond the usual ones, and files that are no pictures: each read, or named with what to do."""

import io
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pillow_heif
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from esrgan_torch.errors import ImageReadError, ImageTooLargeError, MissingCodecError
from esrgan_torch.images.exif import take_orientation
from esrgan_torch.images.files import Picture, read_image, write_image
from esrgan_torch.images.jxl import JxlFile
from esrgan_torch.images.kinds import RAW_SUFFIXES, READ_SUFFIXES
from esrgan_torch.images.metadata import orient
from esrgan_torch.images.png import chunk

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 20, 4), dtype=np.uint8)
IMAGE = Image.fromarray(PIXELS[:, :, :3])


@pytest.mark.parametrize("suffix", ["tga", "dds", "ppm", "qoi", "pnm"])
def test_lossless_formats_that_pillow_reads(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(imagecodecs.qoi_encode(PIXELS[:, :, :3])) if suffix == "qoi" else IMAGE.save(path)
    np.testing.assert_array_equal(read_image(path).pixels, PIXELS[:, :, :3])
    with pytest.raises(ImageTooLargeError, match="20 x 12"):
        read_image(path, max_pixels=239)


@pytest.mark.parametrize("suffix", ["jfif", "jpe", "jif"])
def test_jpegs_of_other_suffixes(tmp_path: Path, suffix: str) -> None:
    IMAGE.save(tmp_path / f"a.{suffix}", format="JPEG")
    write_image(tmp_path / f"b.{suffix}", read_image(tmp_path / f"a.{suffix}"))
    assert (tmp_path / f"b.{suffix}").read_bytes().startswith(b"\xff\xd8")


def test_tga_is_known_by_its_suffix_alone(tmp_path: Path) -> None:
    for mode, options in (("L", {}), ("RGBA", {"compression": "tga_rle"}), ("P", {})):
        image = (
            Image.fromarray(PIXELS).convert("RGB").convert(mode)
            if mode == "P"
            else Image.fromarray(PIXELS).convert(mode)
        )
        image.save(tmp_path / "a.TGA", **options)
        found = read_image(tmp_path / "a.TGA").pixels.squeeze()
        np.testing.assert_array_equal(found, np.asarray(image.convert("RGB") if mode == "P" else image))
    (tmp_path / "b.png").write_bytes((tmp_path / "a.TGA").read_bytes())
    with pytest.raises(ImageReadError, match="not a picture that can be read"):
        read_image(tmp_path / "b.png")
    (tmp_path / "c.tga").write_text("this is a letter, not a picture")
    with pytest.raises(ImageReadError, match="not a picture that can be read"):
        read_image(tmp_path / "c.tga")


def test_the_largest_picture_of_an_icon(tmp_path: Path) -> None:
    image = Image.fromarray(PIXELS.repeat(6, 0).repeat(6, 1)[:64, :64])
    image.save(tmp_path / "a.ico", sizes=[(16, 16), (64, 64), (32, 32)])
    np.testing.assert_array_equal(read_image(tmp_path / "a.ico").pixels, np.asarray(image))


@pytest.mark.parametrize("white", [300, 4095, 65535])
@pytest.mark.parametrize("channels", [1, 3])
def test_pnm_of_more_than_8_bits(tmp_path: Path, channels: int, white: int) -> None:
    values = np.linspace(0, white, 5 * 7 * channels).astype(">u2").reshape(5, 7, channels)
    header = f"P{5 if channels == 1 else 6}\n# a swan\n7 5\n{white}\n".encode()
    (tmp_path / "a.ppm").write_bytes(header + values.tobytes())
    found = read_image(tmp_path / "a.ppm").pixels
    assert np.abs(found - values.astype(float) * 65535 / white).max() <= 0.5
    (tmp_path / "b.ppm").write_bytes(header + values.tobytes()[:-1])
    with pytest.raises(ImageReadError, match="truncated"):
        read_image(tmp_path / "b.ppm")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3])
def test_pfm(tmp_path: Path, channels: int, order: str) -> None:
    values = np.linspace(0, 1, 5 * 7 * channels, dtype=f"{order}f4").reshape(5, 7, channels)
    header = f"{'Pf' if channels == 1 else 'PF'}\n7 5\n{'-1.0' if order == '<' else '1.0'}\n".encode()
    (tmp_path / "a.pfm").write_bytes(header + values[::-1].tobytes())
    np.testing.assert_array_equal(
        read_image(tmp_path / "a.pfm").pixels, np.rint(values.astype(float) * 65535)
    )
    (tmp_path / "b.pfm").write_bytes(header + (values * 9).astype(values.dtype).tobytes())
    with pytest.raises(ImageReadError, match=r"b\.pfm: its floats go up to 9"):
        read_image(tmp_path / "b.pfm")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_float_tiff_is_read_as_16_bits(tmp_path: Path, dtype: type[Any]) -> None:
    values = np.linspace(0, 1, 60, dtype=dtype).reshape(4, 5, 3)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb")
    picture = read_image(tmp_path / "a.tif")
    assert picture.bits == 16
    np.testing.assert_array_equal(picture.pixels, np.rint(values.astype(np.float64) * 65535))
    write_image(tmp_path / "b.tif", picture)
    np.testing.assert_array_equal(read_image(tmp_path / "b.tif").pixels, picture.pixels)


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        (0.0, 255.0, "divide them by 255"),
        (0.0, 1.5, "divide them by 255.*-auto-level"),
        (-0.1, 1.0, "go from -0.1 to 1, not from 0 to 1.*-auto-level"),
        (0.0, 4000.0, "magick IN -auto-level -depth 16 OUT.tif"),
        (0.0, float("nan"), "infinite values or NaN"),
        (0.0, float("inf"), "infinite"),
    ],
)
def test_floats_outside_are_refused_with_the_conversion(
    tmp_path: Path, low: float, high: float, message: str
) -> None:
    values = np.zeros((4, 5), np.float32)
    values[0, :2] = low, high
    tifffile.imwrite(tmp_path / "a.tif", values)
    with pytest.raises(ImageReadError, match=message):
        read_image(tmp_path / "a.tif")


def heic(pixels: NDArray[Any], mode: str = "RGB", **options: Any) -> bytes:
    stream = io.BytesIO()
    file = pillow_heif.from_bytes(mode, (pixels.shape[1], pixels.shape[0]), pixels.tobytes())
    file.save(stream, quality=-1, chroma=444, matrix_coefficients=0, **options)
    return stream.getvalue()


def test_heic(tmp_path: Path) -> None:
    smooth = np.mgrid[0:32, 0:48].transpose(1, 2, 0).repeat(2, 2)[:, :, :3].astype(np.uint8) * 5
    data = heic(smooth)
    (tmp_path / "a.heic").write_bytes(data)
    picture = read_image(tmp_path / "a.heic")
    assert np.abs(picture.pixels.astype(int) - smooth).max() <= 3
    with pytest.raises(ImageTooLargeError, match="48 x 32"):
        read_image(data, max_pixels=100)
    (tmp_path / "b.heic").write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageReadError, match=r"b\.heic"):
        read_image(tmp_path / "b.heic")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_is_turned_once(orientation: int) -> None:
    """The file says apart from EXIF how it is turned, and telephones write both."""
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:16, :16] = (250, 20, 20)
    upright[16:, 32:] = (20, 250, 20)
    undone = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    stored = orient(upright, undone)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = read_image(heic(stored, exif=exif.tobytes()))
    assert picture.pixels.shape == upright.shape
    assert np.abs(picture.pixels.astype(int) - upright).mean() < 4
    assert take_orientation(picture.exif)[0] == 1


def test_heic_of_10_bits_reaches_white(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 48).astype(np.uint16)[None, :, None].repeat(16, 0).repeat(3, 2)
    picture = read_image(heic(ramp, "RGB;16"))
    assert picture.bits == 16
    assert picture.pixels.max() == 65535
    assert np.abs(picture.pixels.astype(int) - ramp).max() < 400


@pytest.mark.parametrize("major", [b"mif1", b"msf1", b"heix", b"hevc", b"mif2", b"qqqq"])
def test_heif_is_known_by_its_compatible_brands(tmp_path: Path, major: bytes) -> None:
    data = bytearray(heic(np.zeros((16, 16, 3), np.uint8)))
    data[8:12] = major
    assert b"hei" in data[16:28]
    assert read_image(bytes(data)).pixels.shape == (16, 16, 3)


@pytest.mark.parametrize("major", [b"mif1", b"msf1", b"miaf"])
def test_avif_is_known_by_its_compatible_brands(tmp_path: Path, major: bytes) -> None:
    write_image(tmp_path / "a.avif", PIXELS[:, :, :3])
    data = bytearray((tmp_path / "a.avif").read_bytes())
    data[8:12] = major
    assert read_image(bytes(data)).pixels.shape == (12, 20, 3)


def test_heif_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    data = heic(PIXELS[:, :, :3])
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingCodecError, match=r"pip install 'esrgan-torch\[heif\]'"):
        read_image(data)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("lossless", [True, False])
def test_jpeg_xl(tmp_path: Path, channels: int, lossless: bool) -> None:
    pixels = PIXELS[:, :, :channels] if lossless else np.full((40, 60, channels), 90, np.uint8)
    write_image(tmp_path / "a.jxl", pixels, lossless=lossless)
    found = read_image(tmp_path / "a.jxl").pixels
    assert np.abs(found.astype(int) - pixels).max() <= (0 if lossless else 2)
    with pytest.raises(ImageTooLargeError, match=f"{pixels.shape[1]} x {pixels.shape[0]}"):
        read_image(tmp_path / "a.jxl", max_pixels=100)


@pytest.mark.parametrize("container", [True, False])
@pytest.mark.parametrize(
    ("height", "width"), [(8, 8), (256, 256), (1, 1), (300, 400), (600, 900), (7, 9000), (20_000, 3)]
)
def test_size_of_jpeg_xl_is_read_from_its_header(height: int, width: int, container: bool) -> None:
    data = imagecodecs.jpegxl_encode(np.zeros((height, width), np.uint8), usecontainer=container, effort=1)
    file = JxlFile(bytes(data))
    assert (file.height, file.width) == (height, width)


def test_jpeg_xl_of_16_bits_and_of_linear_light() -> None:
    values = np.linspace(0, 65535, 240).astype(np.uint16).reshape(12, 20)
    picture = read_image(bytes(imagecodecs.jpegxl_encode(values, lossless=True)))
    np.testing.assert_array_equal(picture.pixels[:, :, 0], values)
    assert picture.icc_profile is not None  # imagecodecs writes that 16 bits are linear


def test_the_first_frame_of_a_moving_jpeg_xl() -> None:
    frames = np.stack([PIXELS[:, :, :3], 255 - PIXELS[:, :, :3]])
    data = bytes(imagecodecs.jpegxl_encode(frames, lossless=True))
    with pytest.warns(UserWarning, match="it is an animation; only the first frame is read"):
        picture = read_image(data)
    np.testing.assert_array_equal(picture.pixels, PIXELS[:, :, :3])


def test_jpeg_xl_that_is_cut_off(tmp_path: Path) -> None:
    data = bytes(imagecodecs.jpegxl_encode(PIXELS, lossless=True))
    for kept in (2, 5, len(data) // 2, len(data) - 4):
        (tmp_path / "a.jxl").write_bytes(data[:kept])
        with pytest.raises(ImageReadError, match=r"a\.jxl"):
            read_image(tmp_path / "a.jxl")


def raw_dng(path: Path, below: bool) -> None:
    version = (50706, "B", 4, b"\1\4\0\0", True)
    with tifffile.TiffWriter(path) as out:
        out.write(
            PIXELS[:, :, :3],
            photometric="rgb",
            subfiletype=1,
            subifds=1,
            extratags=[version] if below else [],
        )
        out.write(np.zeros((96, 128), np.uint16), photometric=32803, subfiletype=0)


@pytest.mark.parametrize("name", ["a.dng", "a.tif"])
@pytest.mark.parametrize("marked", [True, False])
def test_raw_files_are_refused_and_their_thumbnail_never_taken(
    tmp_path: Path, name: str, marked: bool
) -> None:
    raw_dng(tmp_path / name, marked)
    with pytest.raises(ImageReadError, match=rf"{name}:? .*camera's raw file.*darktable"):
        read_image(tmp_path / name)


@pytest.mark.parametrize("suffix", sorted(RAW_SUFFIXES))
def test_tiffs_named_as_raw_are_raw(tmp_path: Path, suffix: str) -> None:
    tifffile.imwrite(tmp_path / f"a{suffix}", PIXELS[:, :, :3], photometric="rgb")
    with pytest.raises(ImageReadError, match="camera's raw file"):
        read_image(tmp_path / f"a{suffix}")
    assert suffix not in READ_SUFFIXES


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        # with a date of its own: else the time of now is in a test's name, and processes disagree on it
        file.writestr(zipfile.ZipInfo("a.png"), b"")
    return stream.getvalue()


def ftyp(*brands: bytes) -> bytes:
    return struct.pack(">I", 8 + 4 * len(brands)) + b"ftyp" + b"".join(brands) + b"\0" * 40


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"8BPS\0\1", "Photoshop file; export"),
        (b"%PDF-1.7", "PDF.*pdftoppm"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "SVG.*render"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg>", "SVG.*render"),
        (b"\n<!DOCTYPE html><html>", "web page"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"v/1\x01\2\0\0\0", "OpenEXR.*magick"),
        (b"#?RADIANCE\n", "Radiance HDR.*magick"),
        (ftyp(b"isom", b"\0\0\2\0", b"mp41"), "video.*ffmpeg"),
        (ftyp(b"qt  ", b"\0\0\2\0"), "video.*ffmpeg"),
        (ftyp(b"crx ", b"\0\0\0\1", b"crx ", b"isom"), "raw file"),
        (b"\x1a\x45\xdf\xa3webm", "video.*ffmpeg"),
        (b"RIFF\0\0\0\0AVI LIST", "video.*ffmpeg"),
        (b"FUJIFILMCCD-RAW 0201", "raw file"),
        (b"II\x1a\0\0\0HEAPCCDR", "raw file"),
        (b"IIU\0\x18\0\0\0", "raw file"),
        (b"IIRO\x08\0\0\0", "raw file"),
        (b"II*\0\x10\0\0\0CR\2\0", "raw file"),
        (zipped(), "archive; unpack"),
        (b"Rar!\x1a\7", "archive; unpack"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (bytes(500), "nothing but zeros"),
        (b"\0" * 128 + b"DICM", "DICOM"),
        (b"gimp xcf v011", "GIMP"),
        (b"anything else", "begins with b'anything els'; give PNG"),
    ],
)
def test_what_is_not_read_is_named_with_what_to_do(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ImageReadError, match=rf"a\.png .*{message}"):
        read_image(tmp_path / "a.png")


def test_avif_that_names_its_primaries(tmp_path: Path) -> None:
    write_image(tmp_path / "a.avif", np.full((16, 16, 3), (200, 100, 50), np.uint8))
    data = bytearray((tmp_path / "a.avif").read_bytes())
    place = data.index(b"colrnclx") + 8
    assert read_image(bytes(data)).icc_profile is None
    data[place : place + 4] = struct.pack(">HH", 12, 13)  # Display P3
    profile = read_image(bytes(data)).icc_profile
    assert profile is not None
    assert profile == read_image(png_of_display_p3()).icc_profile


def png_of_display_p3() -> bytes:
    stream = io.BytesIO()
    write_image(stream, Picture(np.zeros((1, 1, 3), np.uint8)), format="png")
    data = stream.getvalue()
    return data[:33] + chunk(b"cICP", bytes((12, 13, 0, 1))) + data[33:]
