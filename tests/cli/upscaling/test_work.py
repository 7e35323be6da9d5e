"""Animations and pages through the command: every frame enlarged, or one line that says which was taken."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from esrgan_torch.images.files import Frame, Picture, read_frames, read_image, write_frames
from esrgan_torch.upscaler import Upscaler
from esrgan_weights.loading import load

Upscale = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def moving(path: Path, channels: int = 3, count: int = 3) -> list[Frame]:
    rng = np.random.default_rng(0)
    frames = [
        Frame(Picture(rng.integers(0, 256, (9, 11, channels), dtype=np.uint8)), 0.08) for _ in range(count)
    ]
    for frame in frames:
        if channels == 4:
            frame.picture.pixels[:, :, 3] = np.where(np.arange(11) < 5, 0, 255)
    write_frames(path, frames, loop=3, lossless=path.suffix == ".webp")
    return frames


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("source", ["a.gif", "a.png", "a.webp", "a.avif"])
def test_every_frame_is_enlarged_as_a_picture_alone(
    upscale: Upscale, tiny_model: Path, capsys: Capture, source: str, channels: int
) -> None:
    moving(Path(source), channels)
    assert upscale(source) == 0
    frames, large = read_frames(source), read_frames("a-x4.png")
    assert large.count == 3
    assert large.loop == frames.loop
    upscaler = Upscaler(load(tiny_model), "cpu", "float32")
    for frame, expected in zip(large, frames, strict=True):
        assert frame.seconds == expected.seconds == 0.08
        np.testing.assert_array_equal(frame.picture.pixels, upscaler(expected.picture).pixels)
    said = capsys.readouterr()
    assert "11 x 9 to 44 x 36 pixels, each of 3, in" in said.err
    assert "warning" not in said.err


@pytest.mark.parametrize("form", ["webp", "avif", "gif"])
def test_animations_are_written_in_every_format_that_holds_them(upscale: Upscale, form: str) -> None:
    moving(Path("a.png"))
    assert upscale("a.png", "--format", form) == 0
    large = read_frames(f"a-x4.{form}")
    assert (large.count, large.loop) == (3, 0 if form == "avif" else 3)
    assert [frame.seconds for frame in large] == [0.08] * 3


def test_where_the_format_holds_one_picture_a_line_says_which(upscale: Upscale, capsys: Capture) -> None:
    frames = moving(Path("a.png"))
    assert upscale("a.png", "--format", "jpg") == 0
    assert read_image("a-x4.jpg").width == 44
    said = capsys.readouterr().err
    assert "a.png: the first frame of 3 was taken, since jpg holds one picture" in said
    assert "--format png, webp, avif or gif for all" in said
    write_frames("b.tif", frames)
    assert upscale("b.tif") == 0
    assert read_frames("b-x4.png").count == 1
    assert "the first page of 3 was taken, since png holds one picture; give --format tiff for all" in (
        capsys.readouterr().err
    )


def test_pages_become_pages_whatever_their_size(upscale: Upscale, capsys: Capture) -> None:
    pages = [Frame(Picture(np.full(shape, 7, np.uint8))) for shape in ((4, 5, 3), (6, 3, 1), (5, 5, 4))]
    write_frames("a.tif", pages)
    assert upscale("a.tif", "--format", "tiff") == 0
    assert [frame.picture.pixels.shape for frame in read_frames("a-x4.tiff")] == [
        (16, 20, 3),
        (24, 12, 1),
        (20, 20, 4),
    ]
    assert "warning" not in capsys.readouterr().err


def test_an_animation_as_pages_loses_its_times_and_a_line_says_so(upscale: Upscale, capsys: Capture) -> None:
    moving(Path("a.gif"))
    assert upscale("a.gif", "--format", "tiff") == 0
    assert read_frames("a-x4.tiff").count == 3
    assert "3 frames became pages, and tiff does not say how long" in capsys.readouterr().err


def test_a_damaged_frame_leaves_no_result(upscale: Upscale, capsys: Capture) -> None:
    moving(Path("a.webp"), count=4)
    data = Path("a.webp").read_bytes()
    Path("a.webp").write_bytes(data[: len(data) * 4 // 5])
    assert upscale("a.webp") == 1
    assert [path.name for path in Path.cwd().iterdir() if "x4" in path.name] == []
    assert "damaged WebP" in capsys.readouterr().err


def test_a_page_that_does_not_fit_costs_the_whole_file_and_no_other(
    upscale: Upscale, capsys: Capture
) -> None:
    clear = Picture(np.zeros((4, 5, 4), np.uint8))
    Image.new("RGB", (4, 4)).save("b.png")
    write_frames("a.tif", [Frame(Picture(np.zeros((4, 5, 3), np.uint8))), Frame(clear)])
    assert upscale("a.tif", "b.png", "--format", "jpg") == 0  # of pages, jpg takes the first, which fits
    capsys.readouterr()
    write_frames("c.tif", [Frame(clear)])
    assert upscale("c.tif", "b.png", "--format", "jpg", "--overwrite") == 1
    assert "transparency" in capsys.readouterr().err


def test_raw_files_in_a_folder_are_named_as_such(upscale: Upscale, capsys: Capture) -> None:
    Path("in").mkdir()
    Image.new("RGB", (4, 4)).save("in/a.png")
    Path("in/b.NEF").write_bytes(b"MM\0*")
    assert upscale("in") == 0
    assert (
        "b.NEF is a camera's raw file, whose sensor data must be developed first" in capsys.readouterr().err
    )
