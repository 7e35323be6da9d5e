"""The display matrix, by what happens to a corner."""

import struct

import numpy as np
import pytest

from esrgan_torch.films.orientation import Orientation, orientation_of

PIXELS = np.arange(2 * 3, dtype=np.uint8).reshape(2, 3, 1)


def matrix(a: float, b: float, c: float, d: float) -> bytes:
    numbers = (round(a * 65536), round(b * 65536), 0, round(c * 65536), round(d * 65536), 0, 0, 0, 1 << 30)
    return struct.pack("=9i", *numbers)


@pytest.mark.parametrize(("a", "b", "c", "d"), [(1, 0, 0, 1), (-1, 0, 0, -1), (-1, 0, 0, 1), (1, 0, 0, -1)])
@pytest.mark.parametrize("transposed", [False, True])
def test_every_pixel_goes_where_the_matrix_says(a: int, b: int, c: int, d: int, transposed: bool) -> None:
    if transposed:
        a, b, c, d = b, a, d, c
    shown = orientation_of(matrix(a, b, c, d))(PIXELS)
    places = {(a * x + c * y, b * x + d * y): PIXELS[y, x, 0] for y in range(2) for x in range(3)}
    left = min(x for x, _ in places)
    top = min(y for _, y in places)
    for (x, y), value in places.items():
        assert shown[y - top, x - left, 0] == value
    assert shown.flags.c_contiguous


def test_a_quarter_turn_as_phones_write_it() -> None:
    assert orientation_of(matrix(0, 1, -1, 0))(PIXELS)[:, :, 0].tolist() == [[3, 0], [4, 1], [5, 2]]


def test_none_and_the_nearest() -> None:
    assert orientation_of(None) == Orientation()
    assert orientation_of(b"\0" * 8) == Orientation()
    assert orientation_of(matrix(0.9, 0.4, -0.4, 0.9)) == Orientation()
