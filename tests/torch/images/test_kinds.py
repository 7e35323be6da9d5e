"""Picture files made by other programs: every kind of pixels becomes gray or RGB, and alpha stays."""

import io
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from esrgan_torch.images.files import read_image


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


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA"])
def test_png_by_pillow(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(smooth(4)).convert(mode)
    image.save(tmp_path / "a.png")
    expected = np.asarray(image.convert("L") if mode == "1" else image)
    back = read_image(tmp_path / "a.png").pixels
    np.testing.assert_array_equal(back.squeeze(axis=2) if back.shape[2] == 1 else back, expected)


@pytest.mark.parametrize("suffix", ["png", "gif", "bmp", "tif"])
def test_palette_becomes_rgb(tmp_path: Path, suffix: str) -> None:
    image = Image.fromarray(smooth(3)).quantize(16)
    image.save(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(
        read_image(tmp_path / f"a.{suffix}").pixels, np.asarray(image.convert("RGB"))
    )


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_transparent_palette_entry_becomes_alpha(tmp_path: Path, suffix: str) -> None:
    image = Image.fromarray(smooth(3)).quantize(16)
    clear = int(np.asarray(image)[5, 5])
    image.save(tmp_path / f"a.{suffix}", transparency=clear)
    back = read_image(tmp_path / f"a.{suffix}").pixels
    assert back.shape[2] == 4
    np.testing.assert_array_equal(back[:, :, 3] == 0, np.asarray(image) == clear)


def png_chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bits", [8, 16])
def test_png_colour_key_becomes_alpha(tmp_path: Path, channels: int, bits: int) -> None:
    pixels = smooth(channels, bits)
    key = pixels[20, 20]
    data = imagecodecs.png_encode(pixels.squeeze())
    keyed = data[:33] + png_chunk(b"tRNS", struct.pack(f">{channels}H", *key.tolist())) + data[33:]
    (tmp_path / "a.png").write_bytes(keyed)
    back = read_image(tmp_path / "a.png")
    assert (back.channels, back.bits) == (channels + 1, bits)
    np.testing.assert_array_equal(back.pixels[:, :, -1] == 0, (pixels == key).all(axis=2))
    np.testing.assert_array_equal(back.pixels[:, :, :-1], pixels)


def test_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "blue")]
    for suffix in ("gif", "webp", "png"):
        frames[0].save(
            tmp_path / f"a.{suffix}",
            save_all=True,
            append_images=frames[1:],
            **({"lossless": True} if suffix == "webp" else {}),
        )
        assert read_image(tmp_path / f"a.{suffix}").pixels[3, 4, :3].tolist() == [255, 0, 0]


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_without_profile_becomes_rgb(tmp_path: Path, suffix: str) -> None:
    options = {"quality": 100, "subsampling": 0} if suffix == "jpg" else {}
    Image.fromarray(smooth(3)).convert("CMYK").save(tmp_path / f"a.{suffix}", **options)
    back = read_image(tmp_path / f"a.{suffix}")
    assert np.abs(back.pixels.astype(int) - smooth(3)).max() <= 6


def test_damaged_cmyk_profile_is_reported(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(
        tmp_path / "a.jpg", icc_profile=b"\0" * 16 + b"CMYK" + b"\0" * 200
    )
    with pytest.warns(UserWarning, match="CMYK profile is damaged"):
        picture = read_image(tmp_path / "a.jpg")
    assert picture.icc_profile is None
    assert np.abs(picture.pixels.astype(int) - (255, 0, 0)).max() <= 3


def test_lab_tiff_becomes_rgb(tmp_path: Path) -> None:
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = ImageCms.applyTransform(Image.fromarray(smooth(3)), to_lab)
    assert lab is not None
    lab.save(tmp_path / "a.tif")
    assert np.abs(read_image(tmp_path / "a.tif").pixels.astype(int) - smooth(3)).mean() < 2


@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "zstd", "packbits"])
@pytest.mark.parametrize("layout", ["contig", "separate", "tiled", "big-endian", "bigtiff"])
def test_16_bit_tiff_by_tifffile(tmp_path: Path, compression: str | None, layout: str) -> None:
    pixels = smooth(3, 16)
    stored = np.moveaxis(pixels, 2, 0) if layout == "separate" else pixels
    tifffile.imwrite(
        tmp_path / "a.tif",
        stored,
        photometric="rgb",
        compression=compression,
        planarconfig="separate" if layout == "separate" else "contig",
        tile=(16, 16) if layout == "tiled" else None,
        byteorder=">" if layout == "big-endian" else "<",
        bigtiff=layout == "bigtiff",
    )
    back = read_image(tmp_path / "a.tif")
    assert back.pixels.dtype == np.uint16
    np.testing.assert_array_equal(back.pixels, pixels)


@pytest.mark.parametrize("bits", [8, 16])
def test_tiff_alpha_and_inverted_gray(tmp_path: Path, bits: int) -> None:
    pixels, maximum = smooth(4, bits), (1 << bits) - 1
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=["unassalpha"])
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").pixels, pixels)

    alpha = pixels[:, :, 3:] / maximum
    multiplied = np.rint(pixels[:, :, :3] * alpha).astype(pixels.dtype)
    tifffile.imwrite(
        tmp_path / "b.tif",
        np.concatenate([multiplied, pixels[:, :, 3:]], axis=2),
        photometric="rgb",
        extrasamples=["assocalpha"],
    )
    back = read_image(tmp_path / "b.tif").pixels
    opaque_enough = pixels[:, :, 3] > maximum // 2
    assert np.abs(back.astype(int) - pixels)[opaque_enough].max() <= 2

    tifffile.imwrite(tmp_path / "c.tif", pixels, photometric="rgb", extrasamples=["unspecified"])
    np.testing.assert_array_equal(read_image(tmp_path / "c.tif").pixels, pixels[:, :, :3])

    tifffile.imwrite(tmp_path / "d.tif", pixels[:, :, 0], photometric="miniswhite")
    np.testing.assert_array_equal(read_image(tmp_path / "d.tif").pixels, maximum - pixels[:, :, :1])


def test_jpeg_inside_tiff(tmp_path: Path) -> None:
    Image.fromarray(smooth(3)).save(tmp_path / "a.tif", compression="jpeg", quality=95)
    assert np.abs(read_image(tmp_path / "a.tif").pixels.astype(int) - smooth(3)).mean() < 4


def test_bilevel_fax_tiff(tmp_path: Path) -> None:
    image = Image.fromarray(smooth(1)[:, :, 0]).convert("1")
    image.save(tmp_path / "a.tif", compression="group4")
    np.testing.assert_array_equal(
        read_image(tmp_path / "a.tif").pixels[:, :, 0], np.asarray(image.convert("L"))
    )


def test_type_is_known_by_content_and_not_by_suffix(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(smooth(3)).save(stream, "PNG")
    (tmp_path / "a.jpg").write_bytes(stream.getvalue())
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg").pixels, smooth(3))


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_png_key_of_few_bits(tmp_path: Path, depth: int) -> None:
    width = 1 << depth
    packed = np.unpackbits(np.arange(width, dtype=np.uint8)[:, None], axis=1)[:, 8 - depth :].ravel()
    row = b"\0" + np.packbits(packed).tobytes()
    header = struct.pack(">IIBBBBB", width, 1, depth, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"tRNS", b"\0\1"), (b"IDAT", zlib.compress(row)), (b"IEND", b"")]
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks))
    pixels = read_image(tmp_path / "a.png").pixels
    assert pixels[0, :, 1].tolist() == [255, 0] + [255] * (width - 2)
    assert pixels[0, :, 0].tolist() == np.linspace(0, 255, width).astype(int).tolist()
