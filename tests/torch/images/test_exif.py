"""EXIF blocks: what is changed in them, what is left as it is, and those that no reader could use."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from esrgan_torch.images.exif import exif_as_written, take_orientation
from esrgan_torch.images.files import Picture, read_image, write_image
from tests.torch.images.samples import UPRIGHT, exif_block, stored_for


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


def test_a_damaged_exif_block_is_left_out_with_a_warning(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", Picture(UPRIGHT, exif=exif_block(3)[:20]))
    with pytest.warns(UserWarning, match="its EXIF block is damaged"):
        assert read_image(tmp_path / "a.png").exif is None
