"""Mosaics: joining, fading, rounding."""

import numpy as np
import pytest
import torch

from esrgan_torch.tiling.modes import Box, plan_tiles
from esrgan_torch.tiling.mosaic import CrossFadedMosaic, JoinedMosaic, Mosaic, fade_weights

U8, U16 = np.dtype(np.uint8), np.dtype(np.uint16)


@pytest.mark.parametrize(("dtype", "maximum"), [(U8, 255), (U16, 65535)])
def test_values_are_clamped_and_rounded_not_truncated(dtype: np.dtype, maximum: int) -> None:
    mosaic = JoinedMosaic(1, 4, 1, dtype)
    core = Box(0, 0, 1, 4)
    mosaic.put(core, 0, 0, torch.tensor([-0.5, 1.5, 100.6 / maximum, 100.4 / maximum]).view(1, 1, 1, 4))
    assert mosaic.finish().flatten().tolist() == [0, maximum, 101, 100]
    assert mosaic.picture.dtype == dtype


@pytest.mark.parametrize("mosaic", [JoinedMosaic(4, 4, 3, U8), CrossFadedMosaic(4, 4, 3, U8, 1)])
def test_values_that_are_not_finite_are_told(mosaic: Mosaic) -> None:
    core, values = Box(0, 0, 4, 4), torch.rand(1, 3, 4, 4)
    assert mosaic.put(core, 0, 0, values)
    values[0, 1, 2, 3] = torch.inf
    assert not mosaic.put(core, 0, 0, values)


def test_weights_of_neighbours_add_up_to_one() -> None:
    total, fade = 90, 8
    sums = sum(fade_weights(0, total, start, start + 30, total, fade) for start in (0, 30, 60))
    np.testing.assert_allclose(sums, 1, atol=1e-6)
    np.testing.assert_array_equal(fade_weights(0, total, 0, total, total, fade), 1)


@pytest.mark.parametrize(("size", "fade"), [(20, 5), (16, 8), (100, 3)])
def test_cross_faded_tiles_of_one_picture_give_that_picture(size: int, fade: int) -> None:
    height, width = 57, 44
    picture = torch.rand(1, 3, height, width)
    mosaic = CrossFadedMosaic(height, width, 3, U8, fade)
    for tile in plan_tiles(height, width, size, fade):
        window = tile.window
        mosaic.put(tile.core, window.top, window.left, picture[:, :, window.rows, window.columns])
    expected = picture[0].mul(255).round().permute(1, 2, 0).numpy()
    assert (
        np.abs(mosaic.finish() - expected).max() <= 1
    )  # weights are float32: half-way values may go either way


def test_a_step_between_tiles_becomes_a_ramp() -> None:
    mosaic = CrossFadedMosaic(4, 40, 1, U8, 5)
    for tile, value in zip(plan_tiles(4, 40, 20, 5), (0.0, 1.0), strict=True):
        mosaic.put(tile.core, 0, tile.window.left, torch.full((1, 1, 4, tile.window.width), value))
    row = mosaic.finish()[2, :, 0].astype(int)
    assert (row[:15] == 0).all()
    assert (row[25:] == 255).all()
    assert (np.diff(row) >= 0).all()
    assert np.diff(row).max() < 50
