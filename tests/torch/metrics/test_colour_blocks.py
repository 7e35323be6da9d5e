import numpy as np
import pytest

from esrgan_torch.errors import ConfigError
from esrgan_torch.images.resample import imresize
from esrgan_torch.metrics.colour_blocks import colour_blocks

SMALL = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_what_is_interpolated_has_no_blocks_and_what_is_repeated_has(scale: int) -> None:
    smooth = imresize(imresize(SMALL.astype(np.float64), 8, 7), 24 * scale, 21 * scale).clip(0, 255)
    assert colour_blocks(smooth.round().astype(np.uint8), scale) == pytest.approx(1, abs=0.3)
    repeated = SMALL.repeat(scale, axis=0).repeat(scale, axis=1)
    assert colour_blocks(repeated, scale) == np.inf
    # and when luma alone is made fine
    lightness = np.random.default_rng(1).integers(-20, 20, (*repeated.shape[:2], 1))
    middle = (repeated // 2 + 64).astype(np.int64)
    assert colour_blocks((middle + lightness).astype(np.uint8), scale) > 100


def test_gray_has_no_blocks() -> None:
    assert colour_blocks(np.full((8, 8, 3), 7, np.uint16), 4) == 1


@pytest.mark.parametrize(("side", "scale"), [(8, 1), (4, 4)])
def test_what_cannot_be_looked_at(side: int, scale: int) -> None:
    with pytest.raises(ConfigError, match="larger than that; given"):
        colour_blocks(np.zeros((side, 9, 3), np.uint8), scale)
