"""Picture files read and written by rows."""

import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from esrgan_torch.errors import ConfigError, ImageReadError, ImageTooLargeError, ImageWriteError
from esrgan_torch.images.colour import adobe_rgb_profile
from esrgan_torch.images.files import read_image, write_image
from esrgan_torch.images.picture import Picture, Pixels
from esrgan_torch.images.read_rows import read_rows
from esrgan_torch.images.reader import Reader
from esrgan_torch.images.write_rows import filtered, write_rows
from tests.torch.images.samples import IPTC, TEXTS, XMP
from tests.torch.images.test_odd_metadata import COUNTS, TYPES, block

FACTS = ("icc_profile", "exif", "xmp", "iptc", "texts", "density")
MANY = 1 << 28


def pixels(height: int, width: int, channels: int = 3, bits: int = 8) -> Pixels:
    """Half of it smooth, half of it noise."""
    kind = np.dtype(f"uint{bits}")
    values = np.random.default_rng(height).integers(0, np.iinfo(kind).max + 1, (height, width, channels))
    values[: height // 2] = np.arange(width)[None, :, None] * 3 % 200
    return values.astype(kind)


def bands(whole: Pixels, rows: int) -> Iterator[Pixels]:
    for top in range(0, len(whole), rows):
        yield whole[top : top + rows]


def joined(path: Path) -> Pixels:
    return np.concatenate(list(read_rows(path, MANY).bands()))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 300), (515, 2), (270, 261)])
def test_what_is_written_by_rows_is_read(
    tmp_path: Path, suffix: str, bits: int, channels: int, height: int, width: int
) -> None:
    path, given = tmp_path / f"cat{suffix}", pixels(height, width, channels, bits)
    about = Picture(given[:1, :1], density=(300.0, 150.0))
    write_rows(path, bands(given, 50), height, width, about)
    whole = read_image(path)
    assert np.array_equal(whole.pixels, given)
    assert whole.pixels.dtype == given.dtype
    assert whole.density == pytest.approx((300, 150), abs=0.02)
    file = read_rows(path, MANY)
    assert not file.whole
    assert (file.height, file.width, file.channels, file.bits) == (height, width, channels, bits)
    assert np.array_equal(joined(path), given)


def told(exif: bytes) -> Picture:
    """A picture that says all that a picture can say."""
    texts = (("Description", "a wall"), *TEXTS)
    return Picture(pixels(70, 50), adobe_rgb_profile(), exif, XMP, IPTC, texts, (300.0, 150.0))


@pytest.mark.parametrize("source", [".png", ".tif", "big.tif"])
@pytest.mark.parametrize("target", [".png", ".tif"])
def test_what_is_said_is_kept_as_of_pictures_that_are_written_whole(
    tmp_path: Path, source: str, target: str
) -> None:
    given = told(block(3, 1))
    path, whole, rows = (tmp_path / name for name in (f"a{source}", f"whole{target}", f"rows{target}"))
    if source == "big.tif":
        write_rows(path, bands(given.pixels, 9), 70, 50, given)
    else:
        write_image(path, given)
    file, read = read_rows(path, MANY), read_image(path)
    assert not file.whole
    assert read.exif is not None
    assert [getattr(file.about, name) for name in FACTS] == [getattr(read, name) for name in FACTS]
    write_image(whole, read)
    write_rows(rows, file.bands(), 70, 50, file.about)
    one, other = read_image(whole), read_image(rows)
    assert [getattr(one, name) for name in FACTS] == [getattr(other, name) for name in FACTS]
    assert np.array_equal(one.pixels, other.pixels)


@pytest.mark.parametrize("kind", TYPES)
def test_odd_tags_are_carried_by_bigtiff(tmp_path: Path, kind: int) -> None:
    for count in COUNTS:
        given = replace(told(block(kind, count)), pixels=pixels(2, 2))
        write_image(tmp_path / "a.tif", given)
        write_rows(tmp_path / "b.tif", [given.pixels], 2, 2, given)
        one, other = read_image(tmp_path / "a.tif"), read_image(tmp_path / "b.tif")
        assert one.exif == other.exif
        assert one.exif is not None


def test_other_programs_read_it(tmp_path: Path) -> None:
    from PIL import Image

    path, given = tmp_path / "a.tif", replace(told(block(2, 9)), xmp=None)  # which says that it is turned
    write_rows(path, bands(given.pixels, 9), 70, 50, given)
    with Image.open(path) as image:
        assert np.array_equal(np.asarray(image), given.pixels)
        assert image.tag_v2[270]
        assert image.getexif().get_ifd(0x8769)
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff
        assert file.pages[0].tags["ExifTag"].value
        assert np.array_equal(file.pages[0].asarray(), given.pixels)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_png_that_is_turned_is_decoded_whole(tmp_path: Path, orientation: int) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "a camera"
    Image.fromarray(pixels(5, 9)).save(tmp_path / "a.png", exif=exif)
    file = read_rows(tmp_path / "a.png", MANY)
    assert file.whole == (orientation == 6)
    assert (file.height, file.width) == ((9, 5) if orientation == 6 else (5, 9))
    assert file.about.exif == read_image(tmp_path / "a.png").exif


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_reader_reads_the_same(tmp_path: Path, suffix: str) -> None:
    path, given = tmp_path / f"a{suffix}", told(block(3, 1))
    write_rows(path, bands(np.tile(given.pixels, (9, 9, 1)), 9), 630, 450, given)
    here = read_rows(path, MANY)
    with Reader() as reader:
        apart = reader.read_rows(path)
        assert reader.started == (suffix == ".tif")
        assert apart is not None
        assert [getattr(here.about, name) for name in FACTS] == [getattr(apart.about, name) for name in FACTS]
        assert (here.height, here.width, here.channels, here.bits) == (630, 450, 3, 8)
        assert (apart.height, apart.width, apart.channels, apart.bits) == (630, 450, 3, 8)
        way = apart.bands()
        first = next(way)
        assert reader.read_frames(path).count == 1  # another file, in between
        assert np.array_equal(np.concatenate([first, *way]), np.concatenate(list(here.bands())))
        write_image(tmp_path / "cat.tif", np.zeros((4, 4, 4), np.uint8))
        assert reader.read_rows(tmp_path / "cat.tif") is None


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 16])
def test_files_of_other_writers(tmp_path: Path, suffix: str, bits: int) -> None:
    """Their PNG has all five filters, their TIFF strips."""
    path, given = tmp_path / f"cat{suffix}", pixels(711, 600, 3, bits)
    write_image(path, Picture(given))
    file = read_rows(path, MANY)
    assert not file.whole
    assert sum(1 for _ in file.bands()) > 1 or suffix == ".png"
    assert np.array_equal(joined(path), given)


def test_a_png_of_several_portions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esrgan_torch.images.read_rows._AT_ONCE", 4000)
    path, given = tmp_path / "cat.png", pixels(97, 130)
    write_image(path, Picture(given))
    assert [len(band) for band in read_rows(path, MANY).bands()][:2] == [10, 10]
    assert np.array_equal(joined(path), given)


@pytest.mark.parametrize("name", ["cat.jpg", "cat.webp"])
def test_other_formats_are_decoded_whole(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_image(path, Picture(pixels(70, 50)))
    file = read_rows(path, MANY)
    assert file.whole
    assert file.held > 0
    assert np.array_equal(joined(path), read_image(path).pixels)


def test_a_png_with_a_palette_is_decoded_whole(tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "cat.png"
    Image.fromarray(pixels(9, 9)).quantize(16).save(path)
    assert read_rows(path, MANY).whole
    assert np.array_equal(joined(path), read_image(path).pixels)


def test_a_file_that_ends_early_is_told_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    write_rows(path, bands(pixels(40, 40), 40), 40, 40, Picture(pixels(1, 1)))
    data = bytearray(path.read_bytes())
    at = data.index(b"IHDR")
    data[at + 11] = 50  # of 40 rows it says 50
    data[at + 17 : at + 21] = zlib.crc32(data[at : at + 17]).to_bytes(4, "big")
    path.write_bytes(data)
    with pytest.raises(ImageReadError, match="10 of its rows are missing"):
        joined(path)


def test_too_many_pixels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    write_image(path, Picture(pixels(40, 40)))
    with pytest.raises(ImageTooLargeError):
        read_rows(path, 1000)


def test_what_is_no_picture_is_told_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "cat.tif"
    path.write_bytes(b"II*\0nothing more")
    with pytest.raises(ImageReadError):
        read_rows(path, MANY)


@pytest.mark.parametrize("rows", [39, 41])
def test_a_wrong_number_of_rows_leaves_no_file(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "cat.png"
    with pytest.raises(ImageWriteError, match="rows were written"):
        write_rows(path, bands(pixels(rows, 10), 8), 40, 10, Picture(pixels(1, 1)))
    assert list(tmp_path.iterdir()) == []


def test_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ends in \.png or \.tif"):
        write_rows(tmp_path / "cat.jpg", [], 1, 1, Picture(pixels(1, 1)))


def test_each_row_is_filtered_by_what_leaves_less() -> None:
    across = np.tile(np.arange(0, 90, 10, dtype=np.uint8), (2, 1))
    rows = filtered(across, np.zeros(9, np.uint8), 1)
    assert rows[:10] == bytes([1, 0, *[10] * 8])
    assert rows[10:] == bytes([2, *[0] * 9])


def test_a_large_file_is_read_in_another_process_too(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"  # a file of zeros takes no room
    tifffile.memmap(path, shape=(10_000, 12_000, 3), dtype="u1", photometric="rgb", rowsperstrip=16)
    with Reader() as reader:
        file = reader.read_rows(path)
        assert file is not None
        first = next(iter(file.bands()))
    assert first.shape == (16, 12_000, 3)
