"""Odd metadata never costs the picture: every tag with every type, from and into every format."""

import io
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from esrgan_torch.images.directories import Directory, Entry, read_directory, write_directory
from esrgan_torch.images.files import Picture, read_image, write_image
from esrgan_torch.images.formats import FORMAT_NAMES

PIXELS = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
TYPES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
COUNTS = (1, 2, 3, 9)
DESCRIPTIVE = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)
EXIF = (
    0x829A,
    0x829D,
    0x8827,
    0x9000,
    0x9003,
    0x9101,
    0x9201,
    0x920A,
    0x927C,
    0x9286,
    0xA001,
    0xA002,
    0xA430,
)
GPS = tuple(range(32))
# of a TIFF file's own directory: what is said of the picture, and how it is shown
TIFF = (254, 255, 266, 270, 274, 282, 283, 296, 297, 305, 306, 315, 700, 33432, 33723, 34665, 34675, 34853)


def odd(kind: int, count: int) -> Entry:
    """A value of that type; its bytes are letters, and small numbers for those of one byte."""
    return Entry(kind, count, (b"a\0b\xff" * 20)[: TYPES[kind] * count])


def block(kind: int, count: int, order: str = "<") -> bytes:
    """An EXIF block in which every tag has that type, and the orientation says what it should."""
    main: dict[int, Entry | Directory] = {tag: odd(kind, count) for tag in DESCRIPTIVE}
    main[0x0112] = Entry(3, 1, struct.pack("<H", 1))
    main[0x8769] = {tag: odd(kind, count) for tag in EXIF} | {0xA005: {1: odd(kind, count)}}
    main[0x8825] = {tag: odd(kind, count) for tag in GPS}
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(order + "I", 8) + bytes(write_directory(main, 8, order))


def variants() -> Iterator[tuple[int, int]]:
    return ((kind, count) for kind in TYPES for count in COUNTS)


@pytest.mark.parametrize("form", FORMAT_NAMES)
def test_every_tag_of_every_type_is_written_or_left_out(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{form}"
    for kind, count in variants():
        write_image(path, Picture(PIXELS, exif=block(kind, count)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow has to say of them
            found = read_image(path)
        assert found.pixels.shape == PIXELS.shape
        if form in ("tiff", "png", "jpg", "webp"):
            assert found.exif is not None
            assert _all_of(found.exif)[0x8825] == _all_of(block(kind, count))[0x8825], (kind, count)


def _all_of(exif: bytes) -> Directory:
    order = "<" if exif.startswith(b"II") else ">"
    (offset,) = struct.unpack_from(order + "I", exif, 4)
    return read_directory(exif, offset, order, {0x8769: (0xA005,), 0x8825: ()})


def test_a_block_of_the_other_byte_order_says_the_same() -> None:
    for kind, count in variants():
        assert _all_of(block(kind, count, ">")) == _all_of(block(kind, count, "<")), (kind, count)


def test_every_tag_of_a_tiff_of_every_type_leaves_the_picture(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, "TIFF")
    plain = stream.getvalue()
    (offset,) = struct.unpack_from("<I", plain, 4)
    directory = dict(read_directory(plain, offset, "<", {}))
    for tag in TIFF:
        for kind, count in variants():
            changed = {**directory, tag: odd(kind, count)}
            data = (
                plain[:4] + struct.pack("<I", len(plain)) + plain[8:] + write_directory(changed, len(plain))
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = read_image(bytes(data))
            assert sorted(found.pixels.shape) == sorted(PIXELS.shape), (tag, kind, count)
            write_image(tmp_path / "a.tif", found.without_metadata())


def test_gps_as_text() -> None:
    """695 bytes of JPEG that ended a run over a folder when they were to be written as TIFF or AVIF."""
    exif = block(2, 9)
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, "JPEG", exif=b"Exif\0\0" + exif)
    picture = read_image(stream.getvalue())
    for form in ("tiff", "avif"):
        written = io.BytesIO()
        write_image(written, picture, format=form)
        assert read_image(written.getvalue()).exif is not None


@pytest.mark.parametrize("offset", [0, 1, 8, 1000, 0xFFFFFFFF])
def test_directories_that_lead_astray_are_left_out(offset: int) -> None:
    exif = bytearray(block(3, 2))
    at = exif.index(struct.pack("<HHI", 0x8769, 4, 1)) + 8
    struct.pack_into("<I", exif, at, offset)
    for form in ("tiff", "avif"):
        written = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            write_image(written, Picture(PIXELS, exif=bytes(exif)), format=form)
            assert read_image(written.getvalue()).pixels.shape == PIXELS.shape


def test_one_value_in_many_places_does_not_grow() -> None:
    """65,535 entries that all point to the same bytes: what is copied stays as large as the block."""
    value = b"x" * 1000
    entries = b"".join(struct.pack("<HHII", tag, 7, len(value), 2 + 12 * 5000 + 4) for tag in range(1, 5001))
    data = struct.pack("<H", 5000) + entries + bytes(4) + value
    found = read_directory(data, 0, "<", {})
    copied = sum(len(entry.value) for entry in found.values() if isinstance(entry, Entry))
    assert 0 < copied <= len(data)
