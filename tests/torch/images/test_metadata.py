"""Orientation, EXIF and ICC profiles: applied, carried, and never attached to pixels that they do not fit."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageOps, IptcImagePlugin

from esrgan_torch.images.exif import exif_as_written, take_orientation
from esrgan_torch.images.files import Picture, read_image, write_image
from esrgan_torch.images.metadata import orient
from esrgan_torch.images.png import chunk

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


def test_exif_tells_the_size_that_is_written_and_no_thumbnail(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x0100], exif[0x0101] = 48, 32
    exif.get_ifd(0x8769).update({0xA002: 48, 0xA003: 32})
    Image.fromarray(UPRIGHT).save(tmp_path / "a.jpg", exif=with_thumbnail(exif.tobytes()))
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.getexif().get_ifd(ExifTags.IFD.IFD1)[0x0112] == 6
    picture = read_image(tmp_path / "a.jpg")
    assert picture.exif is not None
    assert thumbnail_orientation(picture.exif) == 1
    large = Picture(np.zeros((70_000 // 4, 30, 3), np.uint8), exif=picture.exif)
    for suffix in ("jpg", "png", "webp", "avif"):
        height = 16_000 if suffix == "webp" else 17_500
        write_image(tmp_path / f"b.{suffix}", large.with_pixels(large.pixels[:height]))
        with Image.open(tmp_path / f"b.{suffix}") as image:
            written = image.getexif()
            assert written.get(0x0112, 1) == 1
            assert (written[0x0100], written[0x0101]) == (30, height)
            assert written.get_ifd(0x8769)[0xA002] == 30
            assert written.get_ifd(0x8769)[0xA003] == height
            assert written.get_ifd(ExifTags.IFD.IFD1) == {}
        assert b"THUMB" not in (tmp_path / f"b.{suffix}").read_bytes()


def with_thumbnail(block: bytes) -> bytes:
    """The EXIF block with a second directory: orientation 6 and a thumbnail, in the middle of the block."""
    data = bytearray(block.removeprefix(b"Exif\0\0"))
    order = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    data += b"\0" * (len(data) % 2)
    struct.pack_into(order + "I", data, start + 2 + 12 * count, len(data))
    place = len(data) + 2 + 3 * 12 + 4
    data += struct.pack(order + "H", 3) + struct.pack(order + "HHIHxx", 0x0112, 3, 1, 6)
    data += struct.pack(order + "HHII", 0x0201, 4, 1, place) + struct.pack(order + "HHII", 0x0202, 4, 1, 5)
    return b"Exif\0\0" + bytes(data) + b"\0" * 4 + b"THUMB" + b"after it"


def thumbnail_orientation(exif: bytes) -> int:
    order = "<" if exif[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", exif, 4)
    (count,) = struct.unpack_from(order + "H", exif, start)
    (second,) = struct.unpack_from(order + "I", exif, start + 2 + 12 * count)
    assert struct.unpack_from(order + "HH", exif, second + 2) == (0x0112, 3)
    return struct.unpack_from(order + "H", exif, second + 10)[0]


def test_a_size_that_outgrows_its_tag_gets_a_larger_one() -> None:
    exif = Image.Exif()
    exif[0x0100], exif[0x0101] = 48, 32  # SHORT
    block = exif_as_written(exif.tobytes().removeprefix(b"Exif\0\0"), 70_000, 90_000)
    assert block is not None
    loaded = Image.Exif()
    loaded.load(block)
    assert (loaded[0x0100], loaded[0x0101]) == (90_000, 70_000)


XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" tiff:ImageWidth = '48'
dc:format="image/jpeg"><exif:PixelYDimension>32</exif:PixelYDimension>
<tiff:Orientation>6</tiff:Orientation></rdf:Description></x:xmpmeta>"""


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp", "avif"])
def test_xmp_travels_and_tells_what_is_there(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(UPRIGHT).save(tmp_path / "a.jpg", xmp=XMP)
    picture = read_image(tmp_path / "a.jpg")
    assert picture.xmp is not None
    assert picture.xmp == XMP.replace(b'Orientation="6"', b'Orientation="1"').replace(b">6<", b">1<")
    write_image(tmp_path / f"b.{suffix}", picture.with_pixels(UPRIGHT[:20]))
    xmp = read_image(tmp_path / f"b.{suffix}").xmp
    assert xmp == picture.xmp.replace(b">32<", b">20<")
    with Image.open(tmp_path / f"b.{suffix}") as image:
        seen = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
        if suffix == "tif":
            seen = image.tag_v2[700]
        assert (seen.encode() if isinstance(seen, str) else seen) == xmp


IPTC = b"\x1c\x02\x78\x00\x06a swan"


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_iptc_travels(tmp_path: Path, suffix: str) -> None:
    write_image(tmp_path / f"a.{suffix}", Picture(UPRIGHT, iptc=IPTC))
    assert read_image(tmp_path / f"a.{suffix}").iptc == IPTC
    if suffix == "png":
        return
    with Image.open(tmp_path / f"a.{suffix}") as image:
        assert IptcImagePlugin.getiptcinfo(image) == {(2, 120): b"a swan"}


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "bmp"])
@pytest.mark.parametrize("density", [(300.0, 300.0), (72.0, 144.0)])
def test_density_travels(tmp_path: Path, suffix: str, density: tuple[float, float]) -> None:
    write_image(tmp_path / f"a.{suffix}", Picture(UPRIGHT, density=density))
    assert read_image(tmp_path / f"a.{suffix}").density == density
    with Image.open(tmp_path / f"a.{suffix}") as image:
        assert [round(float(value)) for value in image.info["dpi"]] == list(density)


def test_density_in_centimetres_and_density_that_is_none(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", UPRIGHT, photometric="rgb", resolution=(100, 100), resolutionunit=3)
    assert read_image(tmp_path / "a.tif").density == (254.0, 254.0)
    tifffile.imwrite(tmp_path / "b.tif", UPRIGHT, photometric="rgb", resolutionunit=1)
    assert read_image(tmp_path / "b.tif").density is None
    write_image(tmp_path / "c.jpg", UPRIGHT)
    assert read_image(tmp_path / "c.jpg").density is None


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "bmp", "webp"])
@pytest.mark.parametrize("density", [(1e7, 1e7), (1e12, 1e12), (0.02, 300.0), (float("inf"), 1.0)])
def test_density_that_a_format_cannot_say_is_left_out(
    tmp_path: Path, suffix: str, density: tuple[float, float]
) -> None:
    held = density[0] == 1e7 and suffix != "jpg"  # a microscope's picture
    picture = Picture(UPRIGHT, density=density)
    if held or suffix == "webp":
        write_image(tmp_path / f"a.{suffix}", picture)
    else:
        with pytest.warns(UserWarning, match="pixels an inch is none that"):
            write_image(tmp_path / f"a.{suffix}", picture)
    expected = density if held and suffix != "webp" else None
    if suffix == "bmp" and expected is None:
        expected = (96.0, 96.0)  # what Pillow writes where nothing is known
    assert read_image(tmp_path / f"a.{suffix}").density == expected


def test_density_of_next_to_nothing_is_unknown(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", UPRIGHT)
    data = (tmp_path / "a.png").read_bytes()
    one_a_metre = chunk(b"pHYs", struct.pack(">IIB", 11_811, 1, 1))
    assert read_image(data[:33] + one_a_metre + data[33:]).density is None
    tifffile.imwrite(tmp_path / "b.tif", UPRIGHT, photometric="rgb", resolution=((1, 100), (1, 100)))
    assert read_image(tmp_path / "b.tif").density is None


TEXTS = (("Comment", "a swan"), ("Author", "żółw"), ("parameters", "steps " * 400))


def test_texts_of_a_png_travel(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", Picture(UPRIGHT, texts=(*TEXTS, ("not\na keyword", "gone"))))
    assert read_image(tmp_path / "a.png").texts == TEXTS
    with Image.open(tmp_path / "a.png") as image:
        image.load()
        assert dict(image.text) == dict(TEXTS)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "gif"])
def test_a_comment_travels(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(UPRIGHT).save(tmp_path / "a.jpg", comment="żółw")
    picture = read_image(tmp_path / "a.jpg")
    assert picture.texts == (("Comment", "żółw"),)
    write_image(tmp_path / f"b.{suffix}", picture)
    if suffix == "tif":
        with tifffile.TiffFile(tmp_path / "b.tif") as file:
            assert file.pages.first.description == "żółw"
    else:
        assert read_image(tmp_path / f"b.{suffix}").texts == picture.texts


def test_what_is_too_long_for_a_jpg_is_left_out_with_a_warning(tmp_path: Path) -> None:
    long = b"a" * 70_000
    picture = Picture(UPRIGHT, xmp=long, iptc=IPTC[:1] + long, texts=(("Comment", long.decode()),))
    with pytest.warns(UserWarning, match="left out") as caught:
        write_image(tmp_path / "a.jpg", picture)
    assert sorted(str(warning.message).split()[1] for warning in caught) == ["IPTC", "XMP", "comment"]
    back = read_image(tmp_path / "a.jpg")
    assert (back.xmp, back.iptc, back.texts) == (None, None, ())


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


def test_a_damaged_exif_block_is_left_out_with_a_warning(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", Picture(UPRIGHT, exif=exif_block(3)[:20]))
    with pytest.warns(UserWarning, match="its EXIF block is damaged"):
        assert read_image(tmp_path / "a.png").exif is None
