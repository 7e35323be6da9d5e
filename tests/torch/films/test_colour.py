"""Levels: what a film says of its colours is what the network sees and what the result says."""

from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from esrgan_torch.errors import FilmReadError
from esrgan_torch.films.colour import RGB, Colour, colour_of, from_rgb, of_result, to_rgb
from esrgan_torch.films.deep import WEIGHTS

FORMS = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le", "yuv444p12le")


def frame_of(form: str, planes: list[Any], height: int = 16, width: int = 32) -> Any:
    frame: Any = av.VideoFrame(width, height, form)
    kind = np.uint8 if frame.format.components[0].bits == 8 else np.uint16
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size // kind().itemsize), kind)
        rows[:, : plane.width] = values
        plane.update(rows)
    return frame


def samples(frame: Any) -> list[NDArray[Any]]:
    kind = np.uint8 if frame.format.components[0].bits == 8 else np.uint16
    return [
        np.frombuffer(plane, kind).reshape(plane.height, -1)[:, : plane.width].astype(int)
        for plane in frame.planes
    ]


def coded(rgb: NDArray[np.float64], matrix: int, bits: int, full: bool) -> list[int]:
    """A colour as whole numbers, by the standard's formulas."""
    of_red, of_blue = WEIGHTS[matrix]
    luma = of_red * rgb[0] + (1 - of_red - of_blue) * rgb[1] + of_blue * rgb[2]
    chroma = ((rgb[2] - luma) / (2 - 2 * of_blue), (rgb[0] - luma) / (2 - 2 * of_red))
    step, most = 1 << (bits - 8), (1 << bits) - 1
    if full:
        return [round(luma * most), *(round(value * most + 128 * step) for value in chroma)]
    return [round((16 + 219 * luma) * step), *(round((128 + 224 * value) * step) for value in chroma)]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", sorted(WEIGHTS))
@pytest.mark.parametrize("form", FORMS)
def test_flat_colours_are_as_the_standard_says_and_come_back(form: str, matrix: int, full: bool) -> None:
    colour = Colour(matrix, 2, 2, full)
    random = np.random.default_rng(0)
    for rgb in (np.zeros(3), np.ones(3), *random.random((6, 3))):
        bits = av.VideoFormat(form).components[0].bits
        planes = coded(rgb, matrix, bits, full)
        pixels = to_rgb(frame_of(form, planes), colour)
        # a level of the film's bits, as its samples were rounded
        off = np.abs(pixels / np.iinfo(pixels.dtype).max - rgb).max()
        assert off < 1.6 / (1 << bits)
        back = from_rgb(pixels, colour, form)
        assert (back.colorspace, back.color_range) == (matrix, 2 if full else 1)
        for given, found in zip(planes, samples(back), strict=True):
            assert np.abs(found - given).max() <= 1


@pytest.mark.parametrize("form", FORMS)
def test_a_grey_ramp_comes_back_without_a_shift(form: str) -> None:
    bits = av.VideoFormat(form).components[0].bits
    for full in (False, True):
        step = 1 << (bits - 8)
        low, high = (0, (1 << bits) - 1) if full else (16 * step, 235 * step)
        ramp = np.linspace(low, high, 32).round()
        colour = Colour(1, 1, 1, full)
        pixels = to_rgb(frame_of(form, [ramp, 128 * step, 128 * step]), colour)
        white = np.iinfo(pixels.dtype).max
        assert pixels[0, 0].tolist() == [0, 0, 0]
        assert pixels[0, -1].tolist() == [white] * 3
        assert np.abs(samples(from_rgb(pixels, colour, form))[0] - ramp).max() == 0


@pytest.mark.parametrize(("form", "bits"), [("bgr0", 8), ("gbrp16le", 16)])
def test_rgb_loses_nothing(form: str, bits: int) -> None:
    kind = np.uint8 if bits == 8 else np.uint16
    pixels = np.random.default_rng(0).integers(0, 1 << bits, (9, 11, 3), kind)
    colour = Colour(RGB, 1, 13, True)
    assert np.array_equal(to_rgb(from_rgb(pixels, colour, form), colour), pixels)


def test_rgb_of_10_bits_reaches_white() -> None:
    frame: Any = av.VideoFrame.from_ndarray(np.full((4, 4, 3), 1023, np.uint16), format="gbrp10le")
    assert (to_rgb(frame, Colour(RGB, 2, 2, True)) == 65535).all()


@pytest.mark.parametrize(
    ("width", "height", "matrix"),
    [(640, 480, 6), (720, 576, 5), (640, 360, 6), (1280, 720, 1), (960, 720, 1), (3840, 2160, 1)],
)
def test_a_film_that_does_not_say_is_taken_by_its_size(width: int, height: int, matrix: int) -> None:
    frame: Any = av.VideoFrame(width, height, "yuv420p")
    assert colour_of(frame, 2, 2) == Colour(matrix, 2, 2, False)


def test_what_is_not_converted_is_named() -> None:
    frame: Any = av.VideoFrame(16, 16, "yuv420p10le")
    frame.colorspace = 14
    with pytest.raises(FilmReadError, match="ICtCp"):
        colour_of(frame, 9, 16)


def test_the_result_of_rgb_by_a_codec_of_yuv() -> None:
    assert of_result(Colour(RGB, 1, 13, True), rgb=False) == Colour(1, 1, 13, False)
    assert of_result(Colour(9, 9, 16, False), rgb=True) == Colour(RGB, 9, 16, True)
