"""XMP, IPTC, density, texts and comments: carried where the format holds them."""

import struct
from pathlib import Path

import pytest
import tifffile
from PIL import Image, IptcImagePlugin

from esrgan_torch.images.files import Picture, read_image, write_image
from esrgan_torch.images.png import chunk
from tests.torch.images.samples import IPTC, TEXTS, UPRIGHT, XMP


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
        with pytest.warns(UserWarning, match="pixels an inch cannot be stored"):
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
