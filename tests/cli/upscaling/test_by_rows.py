"""`esrgan upscale` with less memory than a result takes: it goes by rows, and is the same."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from esrgan_cli.upscaling import by_rows
from esrgan_torch.images import reader as image_reader
from esrgan_torch.images.files import read_image, write_image
from esrgan_torch.images.picture import Picture
from esrgan_torch.images.read_rows import rows_of
from tests.support import odd_workers

Upscale = Callable[..., int]
Capture = pytest.CaptureFixture[str]
HEIGHT, WIDTH = 4500, 90  # a file of more than a mebibyte, whose result takes far more than some rows
ROOM = 30 << 20  # bytes: enough for rows, and not for three times the result


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """High and narrow."""
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    write_image(tmp_path / "high.png", pixels)
    return tmp_path / "high.png"


@pytest.fixture
def short_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_rows, "recent_free_memory", lambda _: ROOM)


def report_of(name: str) -> str:
    return Path(name).read_text()


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_the_same_result(
    suffix: str, picture: Path, upscale: Upscale, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert upscale("high.png", "-o", f"whole.{suffix}", "--dtype", "float32") == 0
    assert "by rows" not in capsys.readouterr().err
    monkeypatch.setattr(by_rows, "recent_free_memory", lambda _: ROOM)
    assert upscale("high.png", "-o", f"rows.{suffix}", "--report", "r.jsonl") == 0
    told = capsys.readouterr()
    assert told.out.strip() == f"rows.{suffix}"
    assert "float32; by rows, exact" in told.err
    assert f'"input_size": [{WIDTH}, {HEIGHT}]' in report_of("r.jsonl")
    rows, whole = (read_image(f"{name}.{suffix}").pixels.astype(int) for name in ("rows", "whole"))
    assert rows.shape == whole.shape
    assert np.abs(rows - whole).max() <= 1
    assert (rows != whole).mean() < 1e-4


@pytest.mark.usefixtures("short_of_memory")
def test_it_is_not_made_twice(picture: Path, upscale: Upscale, capsys: Capture) -> None:
    assert upscale("high.png", "-o", "out") == 0
    assert "by rows" in capsys.readouterr().err
    assert upscale("high.png", "-o", "out", "--update") == 0
    assert "0 done, 1 skipped" in capsys.readouterr().err


@pytest.mark.usefixtures("short_of_memory")
@pytest.mark.parametrize(
    "options", [["--tta"], ["--width", "100"], ["--format", "webp", "--lossless"], ["--page", "p.html"]]
)
def test_what_does_not_go_by_rows(
    options: list[str], picture: Path, upscale: Upscale, capsys: Capture
) -> None:
    short = read_image(picture).pixels[:40]
    write_image(picture, Picture(short))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_rows, "_SMALL", 0)
        assert upscale("high.png", "-o", "out", *options) == 0
    assert "by rows" not in capsys.readouterr().err


@pytest.mark.usefixtures("short_of_memory")
def test_a_damaged_file_costs_itself(picture: Path, upscale: Upscale, capsys: Capture) -> None:
    data = picture.read_bytes()
    picture.with_name("cut.png").write_bytes(data[: len(data) * 3 // 4])
    assert upscale("cut.png", "high.png", "-o", "out") == 1
    told = capsys.readouterr()
    assert "1 done, 0 skipped, 1 failed" in told.err
    assert [path.name for path in Path("out").iterdir() if path.suffix == ".png"] == ["high-x4.png"]


@pytest.mark.usefixtures("short_of_memory")
def test_what_the_file_says_is_kept(picture: Path, upscale: Upscale, capsys: Capture) -> None:
    with Image.open(picture) as image:
        image.save(
            "told.tif",
            compression="tiff_adobe_deflate",
            description="a wall",
            artist="somebody",
            dpi=(72, 96),
        )
    assert upscale("told.tif", "-o", "large.tif") == 0
    told = capsys.readouterr().err
    assert "by rows" in told
    assert "warning" not in told
    with tifffile.TiffFile("large.tif") as file:
        tags = file.pages[0].tags
        assert (tags["ImageDescription"].value, tags["Artist"].value) == ("a wall", "somebody")
        assert tags["XResolution"].value == (720, 10)
    assert upscale("told.tif", "-o", "bare.tif", "--strip") == 0
    with tifffile.TiffFile("bare.tif") as file:
        assert "Artist" not in file.pages[0].tags


@pytest.mark.usefixtures("short_of_memory")
def test_a_decoder_that_crashes_costs_its_picture(
    picture: Path, upscale: Upscale, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By rows too, TIFF files are unpacked in a process of their own."""
    with Image.open(picture) as image:
        image.save("a.tif", compression="tiff_adobe_deflate", description="please abort")
        image.save("b.tif", compression="tiff_adobe_deflate", description="well")
    monkeypatch.setattr(image_reader, "WORKER", odd_workers.__name__)
    assert upscale("a.tif", "b.tif", "-o", "out") == 1
    told = capsys.readouterr().err
    assert "a.tif: the decoder crashed" in told
    assert "1 done, 0 skipped, 1 failed" in told
    assert "by rows" in told
    assert Path("out/b-x4.png").exists()


@pytest.mark.usefixtures("short_of_memory")
def test_a_damaged_tiff_is_named_so(picture: Path, upscale: Upscale, capsys: Capture) -> None:
    with Image.open(picture) as image:
        image.save("bad.tif", compression="tiff_adobe_deflate")
    data = bytearray(Path("bad.tif").read_bytes())
    data[1000:1400] = bytes(400)
    Path("bad.tif").write_bytes(data)
    assert upscale("bad.tif", "-o", "large.tif") == 1
    told = capsys.readouterr().err
    assert "bad.tif is a damaged TIFF file" in told
    assert "defect" not in told
    assert not Path("large.tif").exists()


def test_a_tile_that_is_larger_than_the_picture_is_decoded_apart(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64), np.uint8)
    tifffile.imwrite(tmp_path / "tile.tif", pixels, tile=(16384, 16384), compression="zlib")
    tifffile.imwrite(tmp_path / "small.tif", pixels, tile=(64, 64), compression="zlib")
    assert rows_of(tmp_path / "tile.tif") is None
    assert rows_of(tmp_path / "small.tif") is not None
