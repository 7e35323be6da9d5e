"""Eight ways to lay a picture."""

import numpy as np
import pytest

from esrgan_torch.images.turns import TURNS, lies_on_its_side, turned, turned_back

IMAGE = np.arange(2 * 3 * 2).reshape(2, 3, 2)


def test_the_eight_ways_differ_and_the_first_is_the_picture() -> None:
    assert (
        len({(turned(IMAGE, number).shape, turned(IMAGE, number).tobytes()) for number in range(TURNS)}) == 8
    )
    np.testing.assert_array_equal(turned(IMAGE, 0), IMAGE)


@pytest.mark.parametrize("number", range(TURNS))
def test_there_and_back(number: int) -> None:
    laid = turned(IMAGE, number)
    assert (laid.shape == (3, 2, 2)) == lies_on_its_side(number)
    np.testing.assert_array_equal(turned_back(laid, number), IMAGE)
