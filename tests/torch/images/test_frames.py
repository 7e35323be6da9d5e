"""Animations and pages: every frame whole, with its time; thumbnails are never taken for pages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from esrgan_torch.errors import ConfigError
from esrgan_torch.images.apng import Apng
from esrgan_torch.images.files import Frame, Picture, read_frames, read_image, write_frames, write_image
from esrgan_torch.images.formats import find_format
from esrgan_torch.images.png import PngFile
from tests.torch.images.test_pages import pages

Colours = NDArray[np.uint8 | np.uint16]


ANIMATED = ("png", "webp", "avif", "gif")


def drawn(count: int = 3, mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> Iterator[Image.Image]:
    for number in range(count):
        ground = (0, 0, 0, 0) if mode == "RGBA" else (30 * number, 80, 160)
        frame = Image.new(mode, size, ground)
        fill = (250, 220, 40, 255)[: len(mode)]
        ImageDraw.Draw(frame).rectangle((4 + 5 * number, 5, 18 + 5 * number, 20), fill=fill)
        yield frame


def save_drawn(path: Path, mode: str = "RGB", **options: Any) -> list[Colours]:
    first, *rest = drawn(mode=mode)
    options |= {".webp": {"lossless": True}, ".avif": {"subsampling": "4:4:4", "quality": 95}}.get(
        path.suffix, {}
    )
    first.save(path, save_all=True, append_images=rest, **options)
    return [np.asarray(frame) for frame in (first, *rest)]


def difference(found: Colours, expected: Colours) -> int:
    """The largest among visible pixels."""
    apart = np.abs(found.astype(int) - expected)
    return int((apart * (expected[:, :, 3:] > 0)).max() if expected.shape[2] == 4 else apart.max())


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("suffix", ANIMATED)
def test_all_frames_are_read_with_their_times(tmp_path: Path, suffix: str, mode: str) -> None:
    options = {"duration": [80, 160, 40], "loop": 2, "disposal": 2 if suffix == "gif" else 1}
    expected = save_drawn(tmp_path / f"a.{suffix}", mode, **options)
    frames = read_frames(tmp_path / f"a.{suffix}")
    assert (frames.count, len(frames), frames.timed) == (3, 3, True)
    # GIF says how often after the first time; of AVIF, Pillow does not tell
    assert frames.loop == {"gif": 3, "avif": 0}.get(suffix, 2)
    found = list(frames)
    assert [frame.seconds for frame in found] == [0.08, 0.16, 0.04]
    for frame, pixels in zip(found, expected, strict=True):
        assert frame.picture.channels == len(mode)
        assert frame.picture.frames == 3
        assert difference(frame.picture.pixels, pixels) <= (24 if suffix == "avif" else 0)
    again = [frame.picture.pixels for frame in frames]
    np.testing.assert_array_equal(again[2], found[2].picture.pixels)
    first = read_image(tmp_path / f"a.{suffix}")
    assert first.frames == 3
    np.testing.assert_array_equal(first.pixels, found[0].picture.pixels)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("loop", [0, 1, 5])
@pytest.mark.parametrize("suffix", ANIMATED)
def test_all_frames_are_written_with_their_times(tmp_path: Path, suffix: str, mode: str, loop: int) -> None:
    pictures = [np.asarray(frame) for frame in drawn(mode=mode)]
    times = [0.08, 0.16, 1.5]
    frames = [Frame(Picture(pixels), time) for pixels, time in zip(pictures, times, strict=True)]
    lossless = suffix == "webp"
    assert write_frames(tmp_path / f"a.{suffix}", iter(frames), loop=loop, lossless=lossless) == 3
    back = read_frames(tmp_path / f"a.{suffix}")
    assert back.loop == (0 if suffix == "avif" else loop)
    for frame, pixels, time in zip(back, pictures, times, strict=True):
        assert frame.seconds == time
        assert difference(frame.picture.pixels, pixels) <= (24 if suffix == "avif" else 0)
    # and as another program sees it
    with Image.open(tmp_path / f"a.{suffix}") as image:
        assert getattr(image, "n_frames", 1) == 3
        for number, pixels in enumerate(pictures):
            image.seek(number)
            seen = np.asarray(image.convert(mode))
            assert difference(seen, pixels) <= (24 if suffix == "avif" else 0)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_animated_png_keeps_depth_and_gray(tmp_path: Path, channels: int, bits: int) -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 1 << bits, (9, 7, channels)).astype(f"uint{bits}") for _ in range(3)]
    pictures[1][:, :4] = pictures[0][:, :4]  # so that only a part is stored
    write_frames(tmp_path / "a.png", [Frame(Picture(pixels), 0.1) for pixels in pictures])
    for frame, pixels in zip(read_frames(tmp_path / "a.png"), pictures, strict=True):
        assert frame.picture.bits == bits
        np.testing.assert_array_equal(frame.picture.pixels, pixels)


def test_frames_that_stand_still_cost_next_to_nothing(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for suffix in ("png", "gif"):
        write_frames(tmp_path / f"one.{suffix}", [Frame(Picture(noise))])
        write_frames(tmp_path / f"ten.{suffix}", [Frame(Picture(noise), 0.1)] * 10)
        one, ten = ((tmp_path / f"{name}.{suffix}").stat().st_size for name in ("one", "ten"))
        assert one < ten < one + 10_000
        assert read_frames(tmp_path / f"ten.{suffix}").count == 10


@pytest.mark.parametrize("suffix", ["png", "webp", "gif"])
@pytest.mark.parametrize("clear", [0, 1, 2])
def test_one_clear_pixel_gives_all_frames_alpha(tmp_path: Path, suffix: str, clear: int) -> None:
    pictures = [np.full((5, 6, 4), (40 * number, 9, 200, 255), np.uint8) for number in range(3)]
    pictures[clear][2, 3, 3] = 0
    frames = [Frame(Picture(pixels), 0.1) for pixels in pictures]
    write_frames(tmp_path / f"a.{suffix}", frames, lossless=suffix == "webp")
    for frame, pixels in zip(read_frames(tmp_path / f"a.{suffix}"), pictures, strict=True):
        np.testing.assert_array_equal(frame.picture.pixels[:, :, 3], pixels[:, :, 3])
        assert difference(frame.picture.pixels, pixels) == 0
    assert read_image(tmp_path / f"a.{suffix}").channels == (4 if clear == 0 else 3)


@pytest.mark.parametrize(("suffix", "longest"), [("gif", 655.34), ("webp", 16_777.0), ("avif", 16_777.0)])
def test_a_frame_longer_than_a_format_can_say(tmp_path: Path, suffix: str, longest: float) -> None:
    pictures = [Picture(np.full((8, 8, 3), level, np.uint8)) for level in (0, 250)]
    frames = [Frame(picture, seconds) for picture, seconds in zip(pictures, (65_535.0, 0.5), strict=True)]
    with pytest.warns(UserWarning, match=f"{suffix} cannot show a frame for 65,535 seconds"):
        write_frames(tmp_path / f"a.{suffix}", frames, loop=2**31 - 1)
    found = read_frames(tmp_path / f"a.{suffix}")
    assert [frame.seconds for frame in found] == [pytest.approx(longest, abs=0.01), 0.5]
    if suffix != "avif":  # which plays for ever
        assert found.loop in (65_535, 65_536)


def test_formats_say_what_they_hold(tmp_path: Path) -> None:
    save_drawn(tmp_path / "a.gif", duration=80)
    write_frames(tmp_path / "b.tif", (Frame(picture) for picture in pages((4, 4, 3), (4, 4, 3))))
    moving, paged = read_frames(tmp_path / "a.gif"), read_frames(tmp_path / "b.tif")
    write_image(tmp_path / "c.png", np.zeros((2, 2, 3), np.uint8))
    one = read_frames(tmp_path / "c.png")
    holds = {
        name: tuple(find_format("", name).holds(frames) for frames in (moving, paged, one))
        for name in ("png", "webp", "avif", "gif", "tiff", "jpg", "bmp")
    }
    assert holds == {
        **dict.fromkeys(("png", "webp", "avif", "gif"), (True, False, True)),
        "tiff": (True, True, True),
        **dict.fromkeys(("jpg", "bmp"), (False, False, True)),
    }


def test_frames_that_cannot_be_written(tmp_path: Path) -> None:
    black, small = (
        Frame(Picture(np.zeros((4, 4, 3), np.uint8))),
        Frame(Picture(np.zeros((3, 4, 3), np.uint8))),
    )
    for suffix in ANIMATED:
        with pytest.raises(ConfigError, match="one size"):
            write_frames(tmp_path / f"a.{suffix}", [black, small])
    with pytest.raises(ConfigError, match="no frames"):
        write_frames(tmp_path / "a.png", [])
    with pytest.raises(ConfigError, match=r"jpg holds one picture.*png, webp"):
        write_frames(tmp_path / "a.jpg", [black, black])
    with pytest.raises(ConfigError, match="loop"):
        write_frames(tmp_path / "a.png", [black, black], loop=-1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "gif"])
def test_one_frame_is_a_plain_picture(tmp_path: Path, suffix: str) -> None:
    assert write_frames(tmp_path / f"a.{suffix}", [Frame(Picture(np.zeros((4, 4, 3), np.uint8)), 2.0)]) == 1
    frames = read_frames(tmp_path / f"a.{suffix}")
    assert (frames.count, frames.timed, frames.first().frames) == (1, False, 1)
    assert Apng(PngFile((tmp_path / "a.png").read_bytes())).count == 0 if suffix == "png" else True


def test_gif_keeps_few_colours_and_dithers_many(tmp_path: Path) -> None:
    few = np.random.default_rng(0).integers(0, 4, (20, 20, 3), dtype=np.uint8) * 85  # 64 colours
    write_image(tmp_path / "a.gif", few.astype(np.uint8))
    np.testing.assert_array_equal(read_image(tmp_path / "a.gif").pixels, few)
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    many = np.dstack(
        [np.broadcast_to(ramp, (64, 64)), np.broadcast_to(ramp[:, None], (64, 64)), np.full((64, 64), 90)]
    )
    write_image(tmp_path / "b.gif", many.astype(np.uint8))
    assert np.abs(read_image(tmp_path / "b.gif").pixels.astype(int) - many).mean() < 8
    half = np.dstack([few, np.full((20, 20), 255, np.uint8)])
    half[:10, :, 3] = 100
    write_image(tmp_path / "c.gif", half.astype(np.uint8))
    back = read_image(tmp_path / "c.gif").pixels
    assert (back[:10, :, 3] == 0).all()
    np.testing.assert_array_equal(back[10:], half[10:])


def test_times_do_not_drift(tmp_path: Path) -> None:
    """30 frames a second are 3.33 hundredths each: rounded one by one, a GIF would run a tenth too fast."""
    frames = [Frame(Picture(np.full((2, 2, 3), n, np.uint8)), 1 / 30) for n in range(30)]
    for suffix in ("gif", "webp"):
        write_frames(tmp_path / f"a.{suffix}", frames, lossless=suffix == "webp")
        assert sum(frame.seconds or 0 for frame in read_frames(tmp_path / f"a.{suffix}")) == pytest.approx(
            1.0
        )


@pytest.mark.parametrize("suffix", [*ANIMATED, "tif"])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_what_the_frames_raise_is_no_fault_of_the_encoder(tmp_path: Path, suffix: str, after: int) -> None:
    def failing() -> Iterator[Frame]:
        for _ in range(after):
            yield Frame(Picture(np.zeros((4, 4, 3), np.uint8)), 0.1)
        raise RuntimeError("the network broke")

    with pytest.raises(RuntimeError, match=r"^the network broke$"):
        write_frames(tmp_path / f"a.{suffix}", failing())
    assert list(tmp_path.iterdir()) == []
