"""Rounding by the native engine's library gives NumPy's bits, and both see what is not finite."""

import numpy as np
import pytest

from esrgan_torch.engines.native import build
from esrgan_torch.quantise import CanvasType
from esrgan_torch.tiling import rounding

LIBRARIES = [None, build.library()]
KINDS = [np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32)]


@pytest.fixture(params=LIBRARIES, ids=["numpy", "native"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param is None and request.param_index == 1:
        pytest.skip(build.reason())
    monkeypatch.setattr(build, "library_in_use", lambda: request.param)


def planes_of(channels: int, height: int, width: int) -> np.ndarray:
    """Values around [0, 1], ties between whole numbers, and those that look like something else as bits."""
    random = np.random.default_rng(channels * height * width)
    values = random.uniform(-0.2, 1.2, channels * height * width).astype(np.float32)
    special = [
        0.0,
        -0.0,
        1.0,
        -1e-45,
        1e-45,
        3e38,
        -3e38,
        0.5 / 255,
        1.5 / 255,
        2.5 / 255,
        0.5 / 65535,
        2.5 / 65535,
    ]
    values[: len(special)] = special[: len(values)]
    return values.reshape(channels, height, width)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("shape", [(3, 5, 7), (1, 3, 9), (3, 2, 1030), (2, 1, 6), (4, 3, 4), (3, 200, 130)])
def test_planes_become_pixels(shape: tuple[int, int, int], dtype: CanvasType) -> None:
    planes = planes_of(*shape)
    canvas = np.full((shape[1] + 2, shape[2] + 2, shape[0]), 77, dtype)
    assert rounding.put_planes(planes, canvas[1:-1, 1:-1])
    expected = planes
    if dtype != np.float32:
        expected = np.rint(planes.clip(0, 1) * np.float32(np.iinfo(dtype).max)).astype(dtype)
    np.testing.assert_array_equal(canvas[1:-1, 1:-1], expected.transpose(1, 2, 0))
    canvas[1:-1, 1:-1] = 77
    assert (canvas == 77).all()  # nothing beside it


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    "cut", [np.s_[:, ::2, :], np.s_[:, ::-1, :], np.s_[:, :, ::-1], np.s_[:, 1:4, 2:5], np.s_[::-1]]
)
def test_planes_in_any_order_of_memory(cut: tuple[slice, ...]) -> None:
    planes = planes_of(3, 6, 8)[cut]
    canvas = np.zeros((*planes.shape[1:], 3), np.uint8)
    assert rounding.put_planes(planes, canvas)
    expected = np.rint(planes.clip(0, 1) * np.float32(255)).astype(np.uint8)
    np.testing.assert_array_equal(canvas, expected.transpose(1, 2, 0))


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_seen(value: float, dtype: CanvasType) -> None:
    for at in ((0, 0, 0), (2, 99, 6), (1, 50, 3)):
        planes = planes_of(3, 100, 7)
        planes[at] = value
        assert not rounding.put_planes(planes, np.zeros((100, 7, 3), dtype))


def test_a_sum_that_overflows_is_no_infinity() -> None:
    assert rounding.is_finite(np.array([3e38, 3e38], np.float32))


def test_nothing_is_compiled_to_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the native engine computes nothing, as on a GPU."""
    build._find.cache_clear()
    monkeypatch.setattr(build, "compile_library", lambda *given, **named: pytest.fail("compiled"))
    assert build.library_in_use() is None
    monkeypatch.undo()
    assert build.library() is build.library_in_use()
