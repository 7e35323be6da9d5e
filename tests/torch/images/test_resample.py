"""MATLAB's bicubic, bit for bit, against files that MATLAB wrote and against properties of the kernel."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from esrgan_torch.errors import ConfigError
from esrgan_torch.images import resample
from esrgan_torch.images.files import read_image
from esrgan_torch.images.resample import imresize


@pytest.mark.parametrize(
    "name",
    [
        "Set5/baby",
        "Set5/bird",
        "Set5/butterfly",
        "Set5/head",
        "Set5/woman",
        "Set14/bridge",
        "Set14/ppt3",
        "BSD100/3096",
    ],
)
def test_low_resolution_files_come_out_bit_for_bit(shared_data: Path, name: str) -> None:
    folder, stem = name.split("/")
    original = read_image(shared_data / "eval" / folder / "HR" / f"{stem}.png")
    small = read_image(shared_data / "eval" / folder / "LRbicx4" / f"{stem}.png")
    result = imresize(original.pixels, small.height, small.width)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, small.pixels)


def exact(signal: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """The definition, one new sample at a time: a slow reading of Keys' formula with mirrored borders."""
    scale = size / len(signal)
    stretch = min(scale, 1.0)
    result = np.zeros(size)
    for new in range(size):
        centre = (new + 0.5) / scale - 0.5
        total = weights = 0.0
        for old in range(int(centre - 2 / stretch) - 2, int(centre + 2 / stretch) + 3):
            x = abs(centre - old) * stretch
            if x <= 1:
                weight = 1.5 * x**3 - 2.5 * x**2 + 1
            elif x <= 2:
                weight = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
            else:
                continue
            inside = old % (2 * len(signal))
            total += weight * signal[min(inside, 2 * len(signal) - 1 - inside)]
            weights += weight
        result[new] = total / weights
    return result


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 60), st.integers(0, 1))
def test_agrees_with_the_definition(size: int, new_size: int, axis: int) -> None:
    signal = np.random.default_rng(size).normal(size=size)
    image = signal[:, None, None] if axis == 0 else signal[None, :, None]
    result = imresize(image, *((new_size, 1) if axis == 0 else (1, new_size)))
    np.testing.assert_allclose(result.ravel(), exact(signal, new_size), atol=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_type_stays_and_constants_stay(dtype: type[np.generic]) -> None:
    image = np.full((7, 9, 3), 200).astype(dtype)
    for height, width in ((28, 36), (2, 2), (3, 40), (1, 1), (7, 9)):
        result = imresize(image, height, width)
        assert result.dtype == dtype
        assert result.shape == (height, width, 3)
        np.testing.assert_allclose(result.astype(float), 200, rtol=1e-6)


def test_same_size_is_the_same_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    np.testing.assert_array_equal(imresize(image, 9, 8), image)


def test_integers_are_clipped_and_floats_are_not() -> None:
    step = np.repeat(np.array([0, 255], np.uint8), 8)[None, :, None]
    assert imresize(step, 1, 64).min() == 0
    floats = imresize(step.astype(np.float32), 1, 64)
    assert floats.min() < -5
    assert floats.max() > 260


def test_the_image_in_between_is_rounded_and_the_smaller_scale_goes_first() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)

    def one_by_one(rows_first: bool, height: int, width: int) -> NDArray[np.uint8]:
        if rows_first:
            return imresize(imresize(image, height, 40), height, width)
        return imresize(imresize(image, 40, width), height, width)

    for height, width, rows_first in ((10, 20, True), (20, 10, False), (13, 13, True)):
        np.testing.assert_array_equal(imresize(image, height, width), one_by_one(rows_first, height, width))
        assert (imresize(image, height, width) != one_by_one(not rows_first, height, width)).any()


def test_uint16_keeps_its_precision() -> None:
    image = np.random.default_rng(0).integers(20_000, 45_000, (16, 16, 3), dtype=np.uint16)
    fine = imresize(image.astype(np.float64), 64, 64)
    assert np.abs(imresize(image, 64, 64) - fine).max() <= 1.5


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(0).integers(0, 256, (50, 30, 3), dtype=np.uint8)
    whole = [imresize(image, 20, 90), imresize(image, 111, 7)]
    monkeypatch.setattr(resample, "_CHUNK", 100)
    np.testing.assert_array_equal(imresize(image, 20, 90), whole[0])
    np.testing.assert_array_equal(imresize(image, 111, 7), whole[1])


@pytest.mark.parametrize(
    ("image", "size"),
    [
        (np.zeros((4, 4, 3), np.uint8), (0, 4)),
        (np.zeros((4, 4, 3), np.uint8), (4, -1)),
        (np.zeros((4, 4, 3), np.int32), (4, 4)),
        (np.zeros(4, np.uint8), (4, 4)),
        (np.zeros((0, 4, 3), np.uint8), (4, 4)),
    ],
)
def test_what_cannot_be(image: NDArray[np.uint8], size: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="imresize needs"):
        imresize(image, *size)
