"""Inputs after public reports of this field, each with the outcome that docs/compatibility.md names."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import GifImagePlugin, Image, ImageCms

from esrgan_torch.errors import ImageTooLargeError
from esrgan_torch.images.colour import is_hdr
from esrgan_torch.images.files import Frame, Picture, read_frames, read_image, write_frames, write_image
from esrgan_torch.images.frames import with_channels
from esrgan_torch.images.png import chunk

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
GREEN, BLUE, CLEAR = (0, 255, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0)


def gif(size: tuple[int, int], *frames: tuple[list[list[int]], tuple[int, int], int]) -> bytes:
    """A GIF of rectangles of indices into clear, green and blue, each with its place and disposal."""
    parts = [b"GIF89a" + struct.pack("<2H3B", *size, 0, 0, 0)]
    for indices, place, disposal in frames:
        image = Image.fromarray(np.array(indices, np.uint8))
        image.putpalette([0, 0, 0, 0, 255, 0, 0, 0, 255])
        options = {"include_color_table": True, "transparency": 0, "disposal": disposal, "duration": 100}
        parts += GifImagePlugin.getdata(image, place, **options)
    return b"".join((*parts, b";"))


def rows(picture: Picture) -> list[list[tuple[int, ...]]]:
    return [[tuple(pixel) if pixel[3] else CLEAR for pixel in row.tolist()] for row in picture.pixels]


def test_clear_pixels_of_a_gif_leave_what_is_there() -> None:
    """python-pillow/Pillow#3433."""
    data = gif((3, 1), ([[0, 2, 0]], (0, 0), 1), ([[1, 0, 1]], (0, 0), 3), ([[0, 0, 0]], (0, 0), 1))
    assert [rows(frame.picture) for frame in read_frames(data)] == [
        [[CLEAR, BLUE, CLEAR]],
        [[GREEN, BLUE, GREEN]],
        [[CLEAR, BLUE, CLEAR]],
    ]


def test_around_a_first_frame_that_is_smaller_a_gif_is_clear() -> None:
    """python-pillow/Pillow#5548."""
    data = gif((3, 2), ([[1]], (1, 0), 1), ([[2]], (2, 1), 2), ([[1]], (0, 0), 1))
    assert [rows(frame.picture) for frame in read_frames(data)] == [
        [[CLEAR, GREEN, CLEAR], [CLEAR] * 3],
        [[CLEAR, GREEN, CLEAR], [CLEAR, CLEAR, BLUE]],
        [[GREEN, GREEN, CLEAR], [CLEAR] * 3],
    ]
    assert read_image(data).channels == 4


def test_the_first_frame_of_a_clear_gif_keeps_its_colours() -> None:
    """python-pillow/Pillow#6590."""
    data = gif((2, 1), ([[0, 1]], (0, 0), 2), ([[2, 0]], (0, 0), 2))
    assert [rows(frame.picture) for frame in read_frames(data)] == [[[CLEAR, GREEN]], [[BLUE, CLEAR]]]


def test_frames_of_a_gif_that_reach_beyond_its_screen_are_cut() -> None:
    """python-pillow/Pillow#8218: Pillow lets the picture grow."""
    data = gif((2, 1), ([[1, 2]], (0, 0), 1), ([[2, 2, 2], [2, 2, 2]], (1, 0), 1))
    assert [rows(with_alpha(frame.picture)) for frame in read_frames(data)] == [
        [[GREEN, BLUE]],
        [[GREEN, BLUE]],
    ]
    with pytest.raises(ImageTooLargeError, match="4 x 2"):
        list(read_frames(data, max_pixels=7))


def with_alpha(picture: Picture) -> Picture:
    return picture.with_pixels(with_channels(picture.pixels, 4))


def test_texts_of_a_png_beyond_pillows_limit(tmp_path: Path) -> None:
    """python-pillow/Pillow#8363: 2 MB of text, packed, and Pillow opens nothing of the file."""
    long = "a swan " * 300_000
    write_image(tmp_path / "a.png", Picture(PIXELS, texts=(("parameters", long),)))
    with pytest.raises(ValueError, match="too large"):
        Image.open(tmp_path / "a.png").load()
    picture = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(picture.pixels, PIXELS)
    assert picture.texts == (("parameters", long),)


def test_many_texts_in_a_png(tmp_path: Path) -> None:
    """libvips/libvips#2958: more than 50."""
    texts = tuple((f"exif:{number}", str(number)) for number in range(80))
    write_image(tmp_path / "a.png", Picture(PIXELS, texts=texts))
    assert read_image(tmp_path / "a.png").texts == texts


def test_a_text_bomb_is_left_out() -> None:
    """guillaumemeyer/watermarks-remover#308: more than 64 MiB, packed."""
    stream = io.BytesIO()
    write_image(stream, PIXELS, format="png")
    data = stream.getvalue()
    bomb = chunk(b"zTXt", b"bomb\0\0" + zlib.compress(bytes((64 << 20) + 1), 1))
    with pytest.warns(UserWarning, match="its chunk zTXt is damaged"):
        picture = read_image(data[:33] + bomb + data[33:])
    assert picture.texts == ()
    np.testing.assert_array_equal(picture.pixels, PIXELS)


def test_a_photo_in_display_p3_with_the_curve_of_hdr(tmp_path: Path) -> None:
    """upscayl/upscayl#1265: a screenshot of a telephone, "Display P3; SMPTE ST 2084 PQ"."""
    stream = io.BytesIO()
    write_image(stream, PIXELS, format="png")
    data = stream.getvalue()
    picture = read_image(data[:33] + chunk(b"cICP", bytes((12, 16, 0, 1))) + data[33:])
    assert is_hdr(picture.icc_profile)
    write_image(tmp_path / "b.png", picture)
    assert chunk(b"cICP", bytes((12, 16, 0, 1))) in (tmp_path / "b.png").read_bytes()
    with pytest.warns(UserWarning, match="png keeps cICP"):
        write_image(tmp_path / "b.jpg", picture)


def test_a_profile_of_another_program_travels_untouched(tmp_path: Path) -> None:
    """chaiNNer-org/chaiNNer#2599 and upscayl/upscayl#565."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(PIXELS).save(tmp_path / "a.jpg", icc_profile=profile)
    write_image(tmp_path / "b.png", read_image(tmp_path / "a.jpg"))
    assert read_image(tmp_path / "b.png").icc_profile == profile


def test_frames_that_end_as_others_begin(tmp_path: Path) -> None:
    """eight04/pyAPNG#18: a frame of one pixel says that nothing changed; all are whole pictures here."""
    frames = [Frame(Picture(PIXELS), 0.1), Frame(Picture(PIXELS), 0.2), Frame(Picture(255 - PIXELS), 0.1)]
    write_frames(tmp_path / "a.png", frames)
    found = list(read_frames(tmp_path / "a.png"))
    assert [frame.picture.pixels.shape for frame in found] == [(6, 8, 3)] * 3
    np.testing.assert_array_equal(found[1].picture.pixels, PIXELS)
    assert [frame.seconds for frame in found] == [0.1, 0.2, 0.1]
