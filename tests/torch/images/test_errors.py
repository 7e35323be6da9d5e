"""Bad files and bad places: a clear error each, and never half a picture."""

import errno
import io
import os
import re
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from esrgan_torch.errors import ConfigError, ImageReadError, ImageTooLargeError, ImageWriteError
from esrgan_torch.images import decode, pillow
from esrgan_torch.images.files import read_image, write_image

SUFFIXES = ("png", "jpg", "webp", "tif", "avif", "bmp", "gif")
NOISE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def make(path: Path) -> bytes:
    """A valid file of noise, by another hand where we cannot write it."""
    if path.suffix == ".gif":
        Image.fromarray(NOISE).quantize(256).save(path)
    else:
        write_image(path, NOISE)
    return path.read_bytes()


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"\0" * 100)
    chunks = [header, body, b"IEND"]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match=r"none\.png does not exist"):
        read_image(tmp_path / "none.png")


@pytest.mark.parametrize("address", ["https://example.org/a.png", "s3://bucket/a.png"])
def test_an_address(address: str) -> None:
    with pytest.raises(ImageReadError, match="is an address, not a file; download it first"):
        read_image(address)


def test_an_address_of_a_file() -> None:
    with pytest.raises(
        ImageReadError, match=r"file:/no/a%20b\.png is an address, not a path; give /no/a b\.png"
    ):
        read_image("file:///no/a%20b.png")


def test_folder_given(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match="is a folder"):
        read_image(tmp_path)


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(ImageReadError, match=r"a\.png is empty"):
        read_image(tmp_path / "a.png")


def test_text_file_named_png(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("this is no picture\n")
    with pytest.raises(
        ImageReadError, match=r"a\.png is not a picture that can be read: it begins with b'this"
    ):
        read_image(tmp_path / "a.png")


def test_permission_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "a.png")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ImageReadError, match=r"a\.png may not be read: permission denied"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.9, 0.99])
def test_truncated_file(tmp_path: Path, suffix: str, kept: float) -> None:
    path = tmp_path / f"a.{suffix}"
    data = make(path)
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ImageReadError, match=re.escape(path.name)):
        read_image(path)


@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "zstd", "packbits"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kept", [0.5, 0.9, 0.99])
def test_truncated_tiff_by_tifffile(tmp_path: Path, compression: str | None, bits: int, kept: float) -> None:
    path = tmp_path / "a.tif"
    pixels = NOISE if bits == 8 else NOISE.astype(np.uint16) * 257
    tifffile.imwrite(path, pixels, photometric="rgb", compression=compression, rowsperstrip=16)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ImageReadError, match=r"a\.tif"):
        read_image(path)


@pytest.mark.parametrize("mode", ["CMYK", "P"])
def test_truncated_tiff_that_pillow_reads(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(NOISE).convert(mode).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 9 // 10])
    with pytest.raises(ImageReadError, match=r"a\.tif"):
        read_image(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damage_anywhere_is_a_picture_or_a_read_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    data = make(path)
    rng = np.random.default_rng(1)
    places = [*range(12, 60, 2), *rng.integers(12, len(data), 16).tolist()]
    outcomes: list[bool] = []
    for place in places:
        damaged = bytearray(data)
        damaged[place] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                outcomes.append(read_image(path, max_pixels=1 << 22).pixels.size > 0)
        except ImageReadError:
            outcomes.append(True)
    assert len(outcomes) == len(places)
    assert all(outcomes)


def test_bomb_is_refused_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bomb.png").write_bytes(png_header(60_000, 60_000))

    def never(*_: object) -> None:
        raise AssertionError("the bomb was decoded")

    monkeypatch.setattr(decode, "PngFile", never)
    with pytest.raises(ImageTooLargeError, match=r"bomb\.png: .*60000 x 60000 = 3,600\.0 million") as caught:
        read_image(tmp_path / "bomb.png")
    assert "268.4 million" in str(caught.value)
    assert "max_pixels=3600000000" in str(caught.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_limit_is_exact_and_adjustable_in_every_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    make(path)
    assert read_image(path, max_pixels=48 * 64).height == 48
    with pytest.raises(ImageTooLargeError, match=r"64 x 48"):
        read_image(path, max_pixels=48 * 64 - 1)
    with pytest.raises(ConfigError, match="at least 1"):
        read_image(path, max_pixels=0)


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("channels", [3, 4])
def test_webp_header_is_read_without_the_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lossless: bool, channels: int
) -> None:
    path = tmp_path / "a.webp"
    write_image(path, np.zeros((3, 1000, channels), np.uint8), lossless=lossless)
    monkeypatch.setitem(vars(pillow)["_CLASSES"], "WebP", None)
    with pytest.raises(ImageTooLargeError, match="1000 x 3"):
        read_image(path, max_pixels=2999)


@pytest.mark.parametrize("suffix", ["jpg", "bmp", "tif", "gif"])
def test_pillows_own_limit_neither_warns_nor_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(NOISE).quantize(9).convert("P" if suffix in ("tif", "gif") else "RGB").save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 48 * 64 - 1)
    assert read_image(path).width == 64
    assert Image.MAX_IMAGE_PIXELS == 48 * 64 - 1


def test_pillows_error_limit_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(NOISE).quantize(9).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ImageTooLargeError, match=r"PIL\.Image\.MAX_IMAGE_PIXELS, 100"):
        read_image(path)


@pytest.mark.parametrize("dtype", [np.uint32, np.int16, np.complex64])
def test_tiff_numbers_without_a_white_are_refused(tmp_path: Path, dtype: type[np.generic]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8, 3), dtype), photometric="rgb")
    with pytest.raises(ImageReadError, match=r"a\.tif: its pixels are .* convert it"):
        read_image(tmp_path / "a.tif")


def test_16_bit_cmyk_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8, 4), np.uint16), photometric="separated")
    with pytest.raises(ImageReadError, match="16-bit TIFF of kind SEPARATED"):
        read_image(tmp_path / "a.tif")


def test_missing_output_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageWriteError, match=r"the folder .*nowhere does not exist"):
        write_image(tmp_path / "nowhere" / "a.png", NOISE)
    (tmp_path / "file").touch()
    with pytest.raises(ImageWriteError, match=r"the folder .*file does not exist"):
        write_image(tmp_path / "file" / "a.png", NOISE)


def test_target_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(ImageWriteError, match="it is a folder"):
        write_image(tmp_path / "a.png", NOISE)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_read_only_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(ImageWriteError, match=r"cannot write .*a\.png: the folder .* is read-only"):
        write_image(tmp_path / "a.png", NOISE)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the administrator may write everywhere")
def test_read_only_folder_for_real(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ImageWriteError, match="is read-only"):
        write_image(tmp_path / "a.png", NOISE)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "avif", "bmp"])
def test_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    before = make(path)

    def write_a_part(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_a_part)
    with pytest.raises(ImageWriteError, match=r"the disk that holds .* is full"):
        write_image(path, 255 - NOISE)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_failing_encoder_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = make(tmp_path / "a.jpg")

    def fail(*_: object, **__: object) -> None:
        raise OSError("encoder error -2")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(ImageWriteError, match=r"a\.jpg: the jpg encoder failed: encoder error -2"):
        write_image(tmp_path / "a.jpg", NOISE)
    assert (tmp_path / "a.jpg").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_png_without_its_end_is_truncated(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(NOISE).save(stream, "PNG")
    (tmp_path / "a.png").write_bytes(stream.getvalue()[:-12])
    with pytest.raises(ImageReadError, match="truncated"):
        read_image(tmp_path / "a.png")


def test_png_with_a_wrong_checksum_is_damaged(tmp_path: Path) -> None:
    data = bytearray(make(tmp_path / "a.png"))
    data[data.index(b"IDAT") + 40] ^= 1
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ImageReadError, match="checksum of its chunk IDAT"):
        read_image(tmp_path / "a.png")
