"""Clear stays clear and opaque stays opaque, where the alpha around says so."""

import numpy as np
import pytest
from numpy.typing import NDArray

from esrgan_torch import Tiling, Upscaler
from esrgan_torch.images import uniform_alpha
from esrgan_torch.images.turns import TURNS, turned, turned_back
from esrgan_torch.images.uniform_alpha import keep_uniform
from esrgan_torch.networks.base import Generator
from tests.support.rounding import assert_equal_to_rounding
from tests.torch.networks import small_compact, small_rrdb
from tests.torch.test_upscaler import photo

DTYPES = [np.uint8, np.uint16]


def logo(height: int, width: int, dtype: type) -> NDArray:
    """(H, W, 1): a full shape with soft corners on a clear ground, and a hole."""
    alpha = np.zeros((height, width, 1), dtype)
    alpha[2:-5, 6:] = np.iinfo(dtype).max
    alpha[8:10, 13:15] = 0
    alpha[2, 6] = alpha[-6, 6] = np.iinfo(dtype).max // 3
    return alpha


def all_around(alpha: NDArray, scale: int) -> NDArray:
    """(H * scale, W * scale, 1): where a pixel and its neighbours are all 0 or all full."""
    height, width = alpha.shape[:2]
    padded = np.pad(alpha[:, :, 0], 1, mode="edge")
    around = np.stack([padded[y : y + height, x : x + width] for y in range(3) for x in range(3)])
    same = (around == 0).all(0) | (around == np.iinfo(alpha.dtype).max).all(0)
    return np.kron(same, np.ones((scale, scale), bool))[:, :, None]


def larger(alpha: NDArray, scale: int) -> NDArray:
    return np.kron(alpha[:, :, 0], np.ones((scale, scale), alpha.dtype))[:, :, None]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_what_is_the_same_all_around_is_kept_and_edges_are_the_networks(dtype: type, scale: int) -> None:
    alpha = logo(21, 30, dtype)
    drawn = photo(21 * scale, 30 * scale, 1, dtype)
    result = drawn.copy()
    keep_uniform(result, alpha)
    kept = all_around(alpha, scale)
    assert 0.3 < kept.mean() < 0.9
    np.testing.assert_array_equal(result[kept], larger(alpha, scale)[kept])
    between = larger((alpha > 0) & (alpha < np.iinfo(dtype).max), scale)
    np.testing.assert_array_equal(result[between], drawn[between])
    rows = slice(3 * scale, -6 * scale)
    # up to a quarter of a pixel from the shape's left edge
    inner = slice(6 * scale - scale // 4, 6 * scale + scale // 4)
    np.testing.assert_array_equal(result[rows, inner], drawn[rows, inner])


def test_the_rule_has_no_edge() -> None:
    alpha = np.zeros((9, 9, 1), np.uint16)
    alpha[4, 4] = 9
    for scale in (4, 8):
        veil = np.full((9 * scale, 9 * scale, 1), 1000, np.uint16)  # a drift that never ends
        keep_uniform(veil, alpha)
        row = veil[4 * scale + scale // 2, :, 0].astype(int)
        assert (row[: 3 * scale] == 0).all()
        assert row[4 * scale] == 1000
        assert np.abs(np.diff(row)).max() <= 2.2 * 1000 / scale
        half = row[3 * scale : 4 * scale + scale // 2]
        assert (np.diff(half) >= 0).all()
        np.testing.assert_array_equal(row, row[::-1])


@pytest.mark.parametrize("value", [0, 255])
def test_the_border_of_the_picture_is_not_an_edge(value: int) -> None:
    alpha = np.full((6, 8, 1), value, np.uint8)
    alpha[0, 7] = 100
    large = np.full((24, 32, 1), 100, np.uint8)
    keep_uniform(large, alpha)
    assert (large[:, :24] == value).all()
    assert (large[8:] == value).all()
    assert (large[:4, 28:] == 100).all()


def test_bands_and_turns_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    alpha, drawn = logo(21, 30, np.uint8), photo(84, 120, 1)
    whole = drawn.copy()
    keep_uniform(whole, alpha)
    monkeypatch.setattr(uniform_alpha, "BAND", 4)
    for number in range(TURNS):
        laid = turned(drawn, number).copy()
        keep_uniform(laid, turned(alpha, number))
        np.testing.assert_array_equal(turned_back(laid, number), whole)


@pytest.mark.parametrize(
    "model",
    [
        small_rrdb(),
        small_compact(),
        small_compact(in_channels=1, out_channels=1),
        small_rrdb(scale=2, unshuffle=2),
    ],
    ids=["rrdb", "compact", "gray", "folded"],
)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [2, 4])
def test_a_logo_keeps_its_alpha_with_every_network(model: Generator, dtype: type, channels: int) -> None:
    alpha = logo(21, 30, dtype)
    pixels = np.concatenate([photo(21, 30, channels - 1, dtype), alpha], axis=2)
    result = Upscaler(model, "cpu", "float32")(pixels)[:, :, -1:]
    kept = all_around(alpha, model.scale)
    np.testing.assert_array_equal(result[kept], larger(alpha, model.scale)[kept])
    # these networks drift everywhere, so that edges tell that they were asked
    assert (result[~kept] != larger(alpha, model.scale)[~kept]).mean() > 0.5


@pytest.mark.parametrize("scale", [0.5, 1, 2.5, 6])
def test_a_logo_keeps_its_alpha_at_other_scales(scale: float) -> None:
    alpha = np.zeros((40, 40, 1), np.uint8)
    alpha[20:] = 255
    pixels = np.concatenate([photo(40, 40), alpha], axis=2)
    result = Upscaler(small_compact(), "cpu", "float32", scale=scale)(pixels)[:, :, 3]
    reach = 4 * max(scale, 1)  # of the edge, and of the resizing
    assert (result[: int(20 * scale - reach)] == 0).all()
    assert (result[int(20 * scale + reach) :] == 255).all()
    assert ((result > 0) & (result < 255)).any()


def test_tiles_keep_it_too() -> None:
    pixels = np.concatenate([photo(40, 44), logo(40, 44, np.uint8)], axis=2)
    model = small_compact()
    whole = Upscaler(model, "cpu", "float32", "off")(pixels)
    for tiling in (Tiling("exact", 16), Tiling("overlap", 20, model.receptive_field)):
        assert_equal_to_rounding(Upscaler(model, "cpu", "float32", tiling)(pixels), whole)


def test_tta_and_tiles_that_overlap_too_little_keep_it_too() -> None:
    pixels = np.concatenate([photo(20, 24), logo(20, 24, np.uint8)], axis=2)
    result = Upscaler(small_compact(), "cpu", "float32", Tiling("overlap", 16, 2), tta=True)(pixels)
    kept = all_around(pixels[:, :, 3:], 4)
    np.testing.assert_array_equal(result[:, :, 3:][kept], larger(pixels[:, :, 3:], 4)[kept])
