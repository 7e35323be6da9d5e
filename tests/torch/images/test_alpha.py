"""Colour bled under transparent pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esrgan_torch.errors import ConfigError
from esrgan_torch.images.alpha import bleed, bleed_evenly
from esrgan_torch.images.resample import imresize
from esrgan_torch.images.turns import TURNS, turned, turned_back


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 1000), st.sampled_from([np.uint8, np.uint16]))
def test_visible_pixels_stay_and_the_rest_lies_between_them(
    height: int, width: int, seed: int, dtype: type[np.uint8 | np.uint16]
) -> None:
    rng = np.random.default_rng(seed)
    maximum = np.iinfo(dtype).max
    colour = rng.integers(0, maximum + 1, (height, width, 3)).astype(dtype)
    alpha = (
        rng.integers(0, maximum + 1, (height, width, 1)) * (rng.random((height, width, 1)) < 0.3)
    ).astype(dtype)
    result = bleed(colour, alpha)
    assert result.dtype == dtype
    visible = alpha[:, :, 0] > 0
    np.testing.assert_array_equal(result[visible], colour[visible])
    if visible.any():
        assert (result >= colour[visible].min(axis=0)).all()
        assert (result <= colour[visible].max(axis=0)).all()
    else:
        np.testing.assert_array_equal(result, colour)


def test_one_visible_pixel_colours_everything() -> None:
    colour = np.zeros((33, 50, 3), np.uint8)
    colour[7, 31] = (10, 200, 255)
    alpha = np.zeros((33, 50), np.uint8)
    alpha[7, 31] = 1
    assert (bleed(colour, alpha) == (10, 200, 255)).all()


def test_neighbours_of_an_edge_take_the_colour_of_that_edge() -> None:
    colour = np.zeros((64, 64, 1), np.uint8)
    alpha = np.zeros((64, 64, 1), np.uint8)
    colour[:, :8], colour[:, 56:] = 200, 50
    alpha[:, :8] = alpha[:, 56:] = 255
    result = bleed(colour, alpha)[:, :, 0].astype(int)
    assert np.abs(result[:, 8:12] - 200).max() <= 25
    assert np.abs(result[:, 52:56] - 50).max() <= 25
    assert (np.diff(result[32]) <= 0).all()  # from one edge to the other without a bump


def test_no_dark_fringe_after_upscaling() -> None:
    y, x = np.mgrid[0:40, 0:40]
    inside = (y - 20) ** 2 + (x - 20) ** 2 < 150
    colour = np.where(inside[:, :, None], np.uint8([250, 240, 200]), np.uint8(0))
    alpha = np.where(inside, 255, 0).astype(np.uint8)
    shown = imresize(alpha, 160, 160) > 0
    naive, bled = imresize(colour, 160, 160), imresize(bleed(colour, alpha), 160, 160)
    assert naive[shown].min(axis=0)[0] < 60
    assert bled[shown].min(axis=0).tolist() == [250, 240, 200]


def test_opaque_picture_comes_back_itself() -> None:
    colour = np.zeros((4, 4, 3), np.uint8)
    assert bleed(colour, np.ones((4, 4, 1), np.uint8)) is colour


def test_input_is_not_changed() -> None:
    colour = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    alpha = np.eye(4, dtype=np.uint8)
    before = colour.copy()
    assert (bleed(colour, alpha) != colour).any()
    np.testing.assert_array_equal(colour, before)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_bled_evenly_turns_with_the_picture(dtype: type[np.uint8 | np.uint16]) -> None:
    rng = np.random.default_rng(0)
    colour = rng.integers(0, np.iinfo(dtype).max + 1, (9, 14, 3)).astype(dtype)
    alpha = (rng.random((9, 14, 1)) < 0.2).astype(dtype)
    result = bleed_evenly(colour, alpha)
    np.testing.assert_array_equal(result[alpha[:, :, 0] > 0], colour[alpha[:, :, 0] > 0])
    for number in range(TURNS):
        back = turned_back(bleed_evenly(turned(colour, number), turned(alpha, number)), number)
        np.testing.assert_array_equal(back, result)
    assert (turned_back(bleed(turned(colour, 2), turned(alpha, 2)), 2) != bleed(colour, alpha)).any()


def test_sizes_that_differ() -> None:
    with pytest.raises(ConfigError, match="differ in size"):
        bleed(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.uint8))
