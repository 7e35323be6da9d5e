"""Animated PNG: frames laid over each other as the file says, and files that say it wrongly."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from esrgan_torch.errors import ImageReadError
from esrgan_torch.images.files import Frame, Picture, read_frames, read_image, write_frames
from esrgan_torch.images.png import chunk, encode_pixels, read_chunks
from tests.torch.images.test_frames import ANIMATED, Colours, difference


def stored(pixels: Colours, place: tuple[int, int], disposal: int, blending: int) -> tuple[Any, ...]:
    return pixels, place, disposal, blending


def apng(size: tuple[int, int], frames: list[tuple[Any, ...]], hidden: Colours | None = None) -> bytes:
    """An animated PNG of RGBA rectangles; `hidden` is a picture for programs without animation."""
    header = struct.pack(">IIBBBBB", *size, 8, 6, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), chunk(b"acTL", struct.pack(">II", len(frames), 3))]
    sequence = 0

    def coded(pixels: Colours) -> bytes:
        return b"".join(bytes(data) for name, data in read_chunks(encode_pixels(pixels)) if name == b"IDAT")

    if hidden is not None:
        parts.append(chunk(b"IDAT", coded(hidden)))
    for number, (pixels, (left, top), disposal, blending) in enumerate(frames):
        height, width = pixels.shape[:2]
        control = struct.pack(">5I2H2B", sequence, width, height, left, top, 1, 10, disposal, blending)
        parts.append(chunk(b"fcTL", control))
        sequence += 1
        if number == 0 and hidden is None:
            parts.append(chunk(b"IDAT", coded(pixels)))
        else:
            parts.append(chunk(b"fdAT", struct.pack(">I", sequence) + coded(pixels)))
            sequence += 1
    return b"".join((*parts, chunk(b"IEND", b"")))


@pytest.mark.parametrize("disposal", [0, 1, 2])
@pytest.mark.parametrize("blending", [0, 1])
def test_animated_png_is_laid_over_as_pillow_does(disposal: int, blending: int) -> None:
    rng = np.random.default_rng(disposal)
    ground = rng.integers(0, 256, (12, 16, 4), dtype=np.uint8)
    patches = [rng.integers(0, 256, (5, 6, 4), dtype=np.uint8) for _ in range(3)]
    for patch in patches:
        patch[:3, :, 3], patch[3:, :, 3] = 255, 0
    frames = [(ground, (0, 0), 0, 0)]
    frames += [(patch, (2 * n, n), disposal, blending) for n, patch in enumerate(patches)]
    data = apng((16, 12), frames)
    found = [frame.picture.pixels for frame in read_frames(data)]
    with Image.open(io.BytesIO(data)) as image:
        for number, pixels in enumerate(found):
            image.seek(number)
            expected = np.asarray(image.convert("RGBA"))
            if (disposal, blending) == (
                2,
                1,
            ) and number:  # which Pillow does not take back: only this patch is seen
                expected = ground.copy()
                expected[number - 1 : number + 2, 2 * number - 2 : 2 * number + 4] = patches[number - 1][:3]
            np.testing.assert_array_equal(pixels[:, :, 3], expected[:, :, 3])
            assert difference(pixels, expected) == 0


def test_half_transparent_frames_are_mixed_as_alpha_is() -> None:
    rng = np.random.default_rng(0)
    below, above = (rng.integers(0, 256, (12, 16, 4), dtype=np.uint8) for _ in range(2))
    expected = np.asarray(Image.alpha_composite(Image.fromarray(below), Image.fromarray(above)))
    found = [
        frame.picture.pixels
        for frame in read_frames(apng((16, 12), [(below, (0, 0), 0, 0), (above, (0, 0), 0, 1)]))
    ]
    np.testing.assert_array_equal(found[0], below)
    assert np.abs(found[1][:, :, 3].astype(int) - expected[:, :, 3]).max() <= 1
    assert difference(found[1], expected) <= 2


def test_a_picture_for_programs_without_animation_is_no_frame() -> None:
    red, blue = (np.full((4, 4, 4), colour, np.uint8) for colour in ((255, 0, 0, 255), (0, 0, 255, 255)))
    data = apng((4, 4), [(blue, (0, 0), 0, 0), (blue // 2, (0, 0), 0, 0)], hidden=red)
    assert read_frames(data).count == 2
    assert read_image(data).pixels[0, 0].tolist() == [0, 0, 255]


def test_one_frame_beside_a_picture_for_programs_without_animation(tmp_path: Path) -> None:
    red, blue = (np.full((4, 4, 4), colour, np.uint8) for colour in ((255, 0, 0, 255), (0, 0, 255, 255)))
    frames = read_frames(apng((4, 4), [(blue, (0, 0), 0, 0)], hidden=red))
    assert (frames.count, [frame.picture.pixels[0, 0].tolist() for frame in frames]) == (1, [[0, 0, 255]])
    assert read_frames(apng((4, 4), [(blue, (0, 0), 0, 0)])).first().pixels[0, 0].tolist()[:3] == [0, 0, 255]


@pytest.mark.parametrize(("name", "payload"), [(b"acTL", b"\0\0"), (b"fcTL", b"")])
def test_a_damaged_animation_is_its_still_picture(name: bytes, payload: bytes) -> None:
    red, blue = (np.full((4, 4, 4), colour, np.uint8) for colour in ((255, 0, 0, 255), (0, 0, 255, 255)))
    data = apng((4, 4), [(blue, (0, 0), 0, 0), (blue, (0, 0), 0, 0)], hidden=red)
    at = data.index(name) - 4
    end = at + 12 + struct.unpack_from(">I", data, at)[0]
    with pytest.warns(UserWarning, match="its animation is damaged"):
        frames = read_frames(data[:at] + chunk(name, payload) + data[end:])
    assert (frames.count, frames.first().pixels[0, 0].tolist()[:3]) == (1, [255, 0, 0])


def test_frames_without_the_word_that_there_are_some_are_none() -> None:
    red, blue = (np.full((4, 4, 4), colour, np.uint8) for colour in ((255, 0, 0, 255), (0, 0, 255, 255)))
    data = apng((4, 4), [(blue, (0, 0), 0, 0), (blue, (0, 0), 0, 0)], hidden=red)
    at = data.index(b"acTL") - 4
    frames = read_frames(data[:at] + data[at + 20 :])
    assert (frames.count, frames.first().pixels[0, 0].tolist()[:3]) == (1, [255, 0, 0])


def test_frame_outside_the_picture_is_damage() -> None:
    patch = np.zeros((4, 4, 4), np.uint8)
    data = apng((8, 8), [(np.zeros((8, 8, 4), np.uint8), (0, 0), 0, 0), (patch, (5, 0), 0, 0)])
    with pytest.raises(ImageReadError, match="lies outside"):
        read_frames(data)


@pytest.mark.parametrize("suffix", ANIMATED)
@pytest.mark.parametrize("kept", [0.5, 0.8])
def test_a_truncated_animation_is_found_before_its_first_frame(
    tmp_path: Path, suffix: str, kept: float
) -> None:
    rng = np.random.default_rng(0)
    frames = [Frame(Picture(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)), 0.1) for _ in range(4)]
    write_frames(tmp_path / f"a.{suffix}", frames)
    data = (tmp_path / f"a.{suffix}").read_bytes()
    (tmp_path / f"a.{suffix}").write_bytes(data[: int(len(data) * kept)])

    def first() -> Frame:
        return next(iter(read_frames(tmp_path / f"a.{suffix}")))

    with pytest.raises(ImageReadError, match=rf"a\.{suffix}"):
        first()
