"""Colours are shown as they were: compared in sRGB, as a program that knows profiles would show them."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from esrgan_torch.images.colour import cicp_of, fitting_profile, profile_of_cicp, srgb_profile
from esrgan_torch.images.files import Picture, read_image, write_image
from esrgan_torch.images.png import chunk

BANDS = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
RAMP = np.linspace(0, 255, 64).astype(np.uint8)[None, :, None].repeat(16, 0)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
D65 = (0.3127, 0.3290)
P3 = (*D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)


def shown(picture: Picture) -> NDArray[np.int64]:
    """Its 8-bit pixels in sRGB, gray as RGB, without alpha."""
    pixels = picture.pixels[:, :, :-1] if picture.has_alpha else picture.pixels
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    if picture.icc_profile is not None:
        source = ImageCms.ImageCmsProfile(io.BytesIO(picture.icc_profile))
        converted = ImageCms.profileToProfile(
            image, source, SRGB, outputMode="RGB", flags=ImageCms.Flags.NOOPTIMIZE
        )
        assert converted is not None
        image = converted
    return np.asarray(image.convert("RGB")).astype(np.int64)


def png_with(path: Path, pixels: NDArray[np.uint8], *chunks: tuple[bytes, bytes]) -> Path:
    write_image(path, pixels)
    data = path.read_bytes()
    path.write_bytes(data[:33] + b"".join(chunk(*each) for each in chunks) + data[33:])
    return path


def gama(value: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(value * 100_000))


def chrm(values: tuple[float, ...]) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "avif", "bmp", "gif"])
@pytest.mark.parametrize("pixels", [BANDS, RAMP])
@pytest.mark.parametrize(
    "chunks",
    [
        [gama(1.0)],
        [gama(0.45455), chrm(P3)],
        [gama(1 / 1.8)],
        [(b"sRGB", b"\0"), gama(1.0)],
        [(b"cICP", bytes((12, 13, 0, 1))), gama(1.0)],
        [(b"cICP", bytes((9, 14, 0, 1)))],
    ],
)
def test_chunks_about_colour_reach_every_format(
    tmp_path: Path, pixels: NDArray[np.uint8], chunks: list[tuple[bytes, bytes]], suffix: str
) -> None:
    picture = read_image(png_with(tmp_path / "a.png", pixels, *chunks))
    options = {"webp": {"lossless": True}, "jpg": {"quality": 100}, "avif": {"quality": 100}}.get(suffix, {})
    write_image(tmp_path / f"b.{suffix}", picture, **options)
    difference = np.abs(shown(read_image(tmp_path / f"b.{suffix}")) - shown(picture))
    # where numbers are far apart in linear light, a level of theirs is many of sRGB
    assert np.percentile(difference, 90) <= {"png": 0, "tif": 0, "jpg": 6, "webp": 0, "avif": 6}.get(
        suffix, 2
    )


def test_linear_light_is_shown_as_such(tmp_path: Path) -> None:
    """By the formulas of sRGB, which no library computes here."""
    linear = read_image(png_with(tmp_path / "a.png", RAMP, gama(1.0)))
    light = RAMP / 255
    expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    assert np.abs(shown(linear) - expected).max() <= 1


def test_display_p3_of_cicp_and_of_chrm_are_one(tmp_path: Path) -> None:
    by_number = read_image(png_with(tmp_path / "a.png", BANDS, (b"cICP", bytes((12, 13, 0, 1)))))
    by_corners = read_image(png_with(tmp_path / "b.png", BANDS, gama(0.45455), chrm(P3)))
    np.testing.assert_array_equal(shown(by_number), shown(by_corners))
    assert np.abs(shown(by_number) - BANDS).max() > 10
    # the red of Display P3 lies outside sRGB
    red = Picture(np.full((1, 1, 3), (255, 0, 0), np.uint8), by_number.icc_profile)
    assert shown(red)[0, 0].tolist() == [255, 0, 0]
    gray = Picture(np.full((1, 1, 3), 128, np.uint8), by_number.icc_profile)
    assert np.abs(shown(gray) - 128).max() <= 1


def test_what_programs_write_for_srgb_is_srgb(tmp_path: Path) -> None:
    srgb = (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
    for chunks in ([gama(0.45455)], [chrm(srgb)], [gama(0.45455), chrm(srgb)], [(b"sRGB", b"\0")]):
        picture = read_image(png_with(tmp_path / "a.png", BANDS, *chunks))
        assert picture.icc_profile == srgb_profile(3)
        np.testing.assert_array_equal(shown(picture), BANDS)
        write_image(tmp_path / "b.png", picture)
        assert b"sRGB\0" in (tmp_path / "b.png").read_bytes()
        assert b"iCCP" not in (tmp_path / "b.png").read_bytes()


def test_chunks_that_say_nothing_are_left_out(tmp_path: Path) -> None:
    for chunks in ([], [(b"cICP", bytes((2, 2, 0, 1)))]):
        assert read_image(png_with(tmp_path / "a.png", BANDS, *chunks)).icc_profile is None


@pytest.mark.parametrize(
    "damaged",
    [
        gama(0),
        gama(0.00001),  # would need numbers that a profile cannot hold
        gama(42_949),
        (b"gAMA", b"\0"),
        chrm((0.0,) * 8),
        chrm((*D65, 0.00108, 955.51699, 0.00004, 840.78123, 0.00038, 0.03994)),
        (b"cHRM", b"short"),
        (b"cICP", b"\1"),
        (b"sRGB", b"\x09"),
        (b"iCCP", b"name\0\0not deflate"),
        (b"zTXt", b"key\0\0not deflate"),
    ],
)
def test_damaged_chunks_are_left_out_with_a_warning(tmp_path: Path, damaged: tuple[bytes, bytes]) -> None:
    png_with(tmp_path / "a.png", BANDS, damaged)
    with pytest.warns(UserWarning, match=f"its chunk {damaged[0].decode()} is damaged; it is left out"):
        picture = read_image(tmp_path / "a.png")
    assert (picture.icc_profile, picture.texts) == (None, ())
    np.testing.assert_array_equal(picture.pixels, BANDS)


def test_hdr_stays_in_png_and_is_named_elsewhere(tmp_path: Path) -> None:
    picture = read_image(png_with(tmp_path / "a.png", BANDS, (b"cICP", bytes((9, 16, 0, 1)))))
    write_image(tmp_path / "b.png", picture)
    assert b"cICP\x09\x10\0\x01" in (tmp_path / "b.png").read_bytes()
    again = read_image(tmp_path / "b.png")
    assert again.icc_profile is not None
    assert cicp_of(again.icc_profile) == bytes((9, 16, 0, 1))
    with pytest.warns(UserWarning, match="HDR"):
        write_image(tmp_path / "b.jpg", picture)


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_curves_rise_from_black_to_white(transfer: int) -> None:
    profile = profile_of_cicp(bytes((9, transfer, 0, 1)), 1)
    values = shown(Picture(RAMP, profile))[0, :, 0]
    assert (np.diff(values) >= 0).all()
    assert values[0] == 0
    assert values[-1] >= 254


def gray_profile(gamma: float) -> bytes:
    profile = fitting_profile(rgb_profile(gamma), 1)
    assert profile is not None
    return profile


def rgb_profile(gamma: float) -> bytes:
    """A profile by the older version's rules, by another hand than the library's."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH2x", 1, round(gamma * 256))
    points = {
        b"rXYZ": (0.4361, 0.2225, 0.0139),
        b"gXYZ": (0.3851, 0.7169, 0.0971),
        b"bXYZ": (0.1431, 0.0606, 0.7141),
    }
    tags = {
        name: b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in xyz))
        for name, xyz in points.items()
    }
    tags |= {b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    at, table, body = 132 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name, at + len(body), len(data))
        body += data
    head = struct.pack(
        ">I4xI4s4s4s12x4s28x3i",
        at + len(body),
        0x02100000,
        b"mntr",
        b"RGB ",
        b"XYZ ",
        b"acsp",
        63190,
        65536,
        54061,
    )
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("suffix", ["png", "webp", "avif", "gif", "bmp", "tif"])
def test_gray_profiles_are_kept_or_converted(tmp_path: Path, suffix: str, channels: int) -> None:
    if channels == 2 and suffix == "bmp":
        return  # which has no alpha
    opaque = np.full_like(RAMP, 255)
    pixels = RAMP if channels == 1 else np.concatenate([RAMP, opaque], axis=2)
    picture = Picture(pixels, gray_profile(1.0))
    assert np.abs(shown(picture) - RAMP).max() > 50
    write_image(tmp_path / f"a.{suffix}", picture, lossless=suffix == "webp")
    back = read_image(tmp_path / f"a.{suffix}")
    assert np.abs(shown(back) - shown(picture)).max() <= (24 if suffix == "avif" else 1)


def test_a_gray_picture_with_the_profile_of_an_rgb_one(tmp_path: Path) -> None:
    """Not allowed, and common: the curve is what counts."""
    Image.fromarray(RAMP[:, :, 0]).save(tmp_path / "a.jpg", icc_profile=rgb_profile(1.0), quality=100)
    picture = read_image(tmp_path / "a.jpg")
    assert picture.icc_profile is not None
    assert picture.icc_profile[16:20] == b"GRAY"
    assert np.abs(shown(picture) - shown(Picture(RAMP, gray_profile(1.0)))).max() <= 13


def test_fitting_profile() -> None:
    rgb = rgb_profile(2.2)
    gray = fitting_profile(rgb, 1)
    assert gray is not None
    for channels in (1, 2):
        assert fitting_profile(gray, channels) is gray
    for channels in (3, 4):
        assert fitting_profile(rgb, channels) is rgb
        again = fitting_profile(gray, channels)
        assert again is not None
        assert again[16:20] == b"RGB "
    assert fitting_profile(None, 3) is None
    assert fitting_profile(b"short", 3) is None
    assert fitting_profile(b"\0" * 16 + b"GRAY" + b"\0" * 108, 3) is None
    assert fitting_profile(b"\0" * 16 + b"CMYK" + b"\0" * 108, 3) is None


def exif_of_colours(colour_space: int, index: bytes) -> bytes:
    """ColorSpace in EXIF's own directory, and the index of the directory of interoperability."""
    main = struct.pack("<HHHII4x", 1, 0x8769, 4, 1, 26)
    own = struct.pack("<H HHIHxx HHII 4x", 2, 0xA001, 3, 1, colour_space, 0xA005, 4, 1, 56)
    below = struct.pack("<H HHI4s 4x", 1, 1, 2, 4, index + b"\0")
    return b"Exif\0\0II*\0\x08\0\0\0" + main + own + below


@pytest.mark.parametrize(
    ("space", "index", "wide"),
    [(1, b"R98", False), (2, b"R98", True), (0xFFFF, b"R03", True), (0xFFFF, b"R98", False)],
)
def test_adobe_rgb_that_exif_alone_tells(tmp_path: Path, space: int, index: bytes, wide: bool) -> None:
    exif = exif_of_colours(space, index)
    Image.fromarray(BANDS).save(tmp_path / "a.jpg", exif=exif, quality=100, subsampling=0)
    picture = read_image(tmp_path / "a.jpg")
    assert (picture.icc_profile is not None) == wide
    assert (np.abs(shown(picture) - picture.pixels).max() > 20) == wide
    Image.fromarray(BANDS).save(tmp_path / "b.jpg", exif=exif, icc_profile=rgb_profile(2.2))
    assert read_image(tmp_path / "b.jpg").icc_profile == rgb_profile(2.2)


def test_16_bits_in_a_format_without_profiles(tmp_path: Path) -> None:
    picture = Picture(BANDS.astype(np.uint16) * 257, rgb_profile(1.0))
    write_image(tmp_path / "a.bmp", picture)
    assert np.abs(shown(read_image(tmp_path / "a.bmp")) - shown(Picture(BANDS, rgb_profile(1.0)))).max() <= 1


def test_a_damaged_profile_in_a_format_without_profiles(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="damaged"):
        write_image(tmp_path / "a.bmp", Picture(BANDS, b"\0" * 16 + b"RGB " + b"\0" * 200))
    np.testing.assert_array_equal(read_image(tmp_path / "a.bmp").pixels, BANDS)
