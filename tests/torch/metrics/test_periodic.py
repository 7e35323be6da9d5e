"""A pattern of the scale's period is found from a certain strength on, and not where there is none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from esrgan_torch.errors import ConfigError
from esrgan_torch.images.files import read_image
from esrgan_torch.images.resample import imresize
from esrgan_torch.metrics.periodic import pattern_of

PHOTO = Path(__file__).parents[3] / "examples" / "cat.jpg"
Pixels = NDArray[Any]


@pytest.fixture(scope="module")
def photo() -> Pixels:
    """A photo without a pattern, 360 x 280 pixels, made of a smaller one by MATLAB's bicubic."""
    small = read_image(PHOTO).pixels[35:105, 45:135]
    return imresize(small, 4 * small.shape[0], 4 * small.shape[1])


def added(pixels: Pixels, pattern: Pixels) -> Pixels:
    return np.clip(np.round(pixels + pattern[:, :, None]), 0, 255).astype(np.uint8)


def grid(shape: tuple[int, ...], period: int, levels: float) -> Pixels:
    """Lines of one pixel at every period, along both axes."""
    rows, columns = np.indices(shape[:2])
    return levels * ((rows % period == 0) | (columns % period == 0))


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_a_photo_has_none(photo: Pixels, scale: int) -> None:
    assert not pattern_of(photo, scale).found
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    assert not pattern_of(noise, scale).found


@pytest.mark.parametrize(("scale", "period"), [(2, 2), (4, 4), (4, 2), (8, 8), (8, 4), (3, 3)])
def test_a_grid_is_found_with_its_period(photo: Pixels, scale: int, period: int) -> None:
    found = pattern_of(added(photo, grid(photo.shape, period, 4)), scale)
    assert found.found
    assert period / found.period == pytest.approx(round(period / found.period))  # itself, or a part of it
    peaks = [
        pattern_of(added(photo, grid(photo.shape, period, levels)), scale).peak for levels in (0, 2, 4, 8)
    ]
    assert peaks == sorted(peaks)


def test_another_period_is_no_alarm(photo: Pixels) -> None:
    assert not pattern_of(added(photo, grid(photo.shape, 5, 4)), 4).found
    assert not pattern_of(added(photo, grid(photo.shape, 7, 8)), 8).found


def test_dots_along_edges_are_found_there(photo: Pixels) -> None:
    """Dots only where rows differ much: a few of a hundred pieces."""
    columns = np.arange(photo.shape[1])[None]
    luma = photo.mean(2)
    rise = np.zeros_like(luma)
    rise[1:-1] = np.abs(luma[2:] - luma[:-2])
    dots = 12.0 * (columns % 4 == 0) * (rise > 12)
    assert 0.01 < (rise > 12).mean() < 0.2
    found = pattern_of(added(photo, dots), 4)
    assert found.found
    assert found.place == "along edges"


def test_a_faint_grid_on_what_is_flat(photo: Pixels) -> None:
    flat = added(photo * 0 + 100, np.random.default_rng(0).normal(0, 0.7, photo.shape[:2]))
    assert not pattern_of(flat, 4).found
    assert pattern_of(added(flat, grid(flat.shape, 4, 1)), 4).found


def test_gray_and_16_bits_are_the_same(photo: Pixels) -> None:
    given = added(photo, grid(photo.shape, 4, 4))[:, :, :1]
    one = pattern_of(given, 4)
    deep = pattern_of(given.astype(np.uint16) * np.uint16(257), 4)
    assert deep.peak == pytest.approx(one.peak)
    assert (deep.period, deep.place) == (one.period, one.place)


@pytest.mark.parametrize(
    ("shape", "scale", "words"),
    [
        ((100, 100, 3), 1, "scale from 2 to 8, not 1"),
        ((100, 100, 3), 16, "not 16"),
        ((40, 31, 3), 4, "31 x 40 pixels"),
    ],
)
def test_what_has_none(shape: tuple[int, ...], scale: int, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        pattern_of(np.zeros(shape, np.uint8), scale)


@pytest.mark.parametrize("name", ["Set5", "Set14", "BSD100"])
def test_no_false_alarm_on_the_evaluation_sets(shared_data: Path, name: str) -> None:
    paths = sorted((shared_data / "eval" / name / "HR").glob("*.png"))[:5]
    alarms = [path.name for path in paths if pattern_of(read_image(path).pixels, 4).found]
    assert not alarms
