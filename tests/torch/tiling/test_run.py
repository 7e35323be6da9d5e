"""What goes wrong in a tile: memory that runs out, values that are not finite."""

import logging
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from esrgan_torch import Picture, Tiling, Upscaler
from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.choose import make_engine
from esrgan_torch.errors import NonFiniteError, OutOfMemoryError
from esrgan_torch.tiling import run
from tests.torch.networks import small_rrdb
from tests.torch.test_upscaler import photo

MODEL = small_rrdb()
# whatever else is installed: what is asked here is what happens around an engine
upscaler_of = partial(Upscaler, engine="eager")
ENGINE = type(make_engine(MODEL, torch.device("cpu"), torch.float32, "eager"))
PIXELS = photo(60, 52)


@pytest.fixture
def whole() -> np.ndarray:
    return upscaler_of(MODEL, "cpu", "float32", "off")(PIXELS)


def fails_above(limit: int, method: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A trunk or a tail that runs out of memory above so many pixels."""

    def limited(self: Engine, batch: Tensor, *rest: object) -> Tensor:
        if batch.shape[-1] * batch.shape[-2] > limit:
            raise torch.OutOfMemoryError("CUDA out of memory. (made up by a test)")
        return method(self, batch, *rest)

    return limited


def test_a_tail_that_does_not_fit_is_divided_and_stays_exact(
    whole: np.ndarray, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ENGINE, "tail", fails_above(400, ENGINE.tail))
    with caplog.at_level(logging.WARNING, "esrgan_torch"):
        result = upscaler_of(MODEL, "cpu", "float32", "exact").upscale(Picture(PIXELS))
    np.testing.assert_array_equal(result.picture.pixels, whole)
    assert result.divided > 0
    assert "divided" in caplog.text


def test_a_trunk_that_does_not_fit_is_divided_into_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = photo(130, 52)
    whole = upscaler_of(MODEL, "cpu", "float32", "off")(pixels)
    monkeypatch.setattr(ENGINE, "trunk", fails_above(6000, ENGINE.trunk))
    result = upscaler_of(MODEL, "cpu", "float32", "auto").upscale(Picture(pixels))
    assert result.divided == 1
    # the overlap of so small a network is all that it sees, so nothing is lost
    assert result.exact
    np.testing.assert_array_equal(result.picture.pixels, whole)


def test_a_division_that_cuts_into_what_the_network_sees_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_rrdb(blocks=4)
    model.overlap = 20
    monkeypatch.setattr(ENGINE, "trunk", fails_above(6000, ENGINE.trunk))
    result = upscaler_of(model, "cpu", "float32", "auto").upscale(Picture(photo(130, 52)))
    assert result.divided == 1
    assert not result.exact
    assert "memory ran out" in str(result.plan)


def test_windows_that_do_not_fit_are_divided_within_a_cross_fade(
    whole: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    upscaler = upscaler_of(MODEL, "cpu", "float32", Tiling("overlap", 32, 8))
    undivided = upscaler(PIXELS).astype(int)
    monkeypatch.setattr(ENGINE, "trunk", fails_above(1000, ENGINE.trunk))
    result = upscaler.upscale(Picture(PIXELS))
    assert result.divided > 0
    assert not result.exact
    # 8 pixels around are nearly all that so small a network heeds, so no seam may be seen, faded or not
    for expected in (whole.astype(int), undivided):
        assert np.abs(result.picture.pixels.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("tiling", ["exact", "off"])
def test_exact_and_off_refuse_rather_than_cut(tiling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ENGINE, "trunk", fails_above(100, ENGINE.trunk))
    with pytest.raises(OutOfMemoryError, match="60x52"):
        upscaler_of(MODEL, "cpu", "float32", tiling)(PIXELS)


def test_memory_for_nothing_is_an_error_and_no_endless_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ENGINE, "trunk", fails_above(0, ENGINE.trunk))
    with pytest.raises(OutOfMemoryError):
        upscaler_of(MODEL, "cpu", "float32")(PIXELS)


def test_no_memory_for_one_pixel_of_tail_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ENGINE, "tail", fails_above(0, ENGINE.tail))
    with pytest.raises(OutOfMemoryError, match="single pixel"):
        upscaler_of(MODEL, "cpu", "float32")(PIXELS)


def test_other_errors_are_not_taken_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Engine, features: Tensor) -> Tensor:
        raise RuntimeError("a kernel is broken")

    monkeypatch.setattr(ENGINE, "tail", broken)
    with pytest.raises(RuntimeError, match="a kernel is broken"):
        upscaler_of(MODEL, "cpu", "float32")(PIXELS)


@pytest.mark.parametrize("half", ["trunk", "tail"])
def test_a_tile_that_is_not_finite_is_computed_again_in_float32(
    half: str, whole: np.ndarray, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = type(make_engine(MODEL, torch.device("cpu"), torch.bfloat16))
    method = getattr(engine, half)

    def overflowing(self: Engine, *given: object) -> Tensor:
        values = method(self, *given).clone()
        if self.dtype != torch.float32:
            values[..., 0, 0] = float("inf")
        return values

    monkeypatch.setattr(engine, half, overflowing)
    with caplog.at_level(logging.WARNING, "esrgan_torch"):
        result = upscaler_of(MODEL, "cpu", "bfloat16").upscale(Picture(PIXELS))
    assert result.redone == 1
    assert "again in float32" in caplog.text
    assert np.abs(result.picture.pixels.astype(int) - whole.astype(int)).max() <= (
        4 if half == "trunk" else 1
    )


@pytest.mark.parametrize(
    ("values", "finite"),
    [([1.0, -1.0], True), ([3e38, 3e38], True), ([1.0, float("nan")], False), ([1.0, float("-inf")], False)],
)
def test_a_sum_that_overflows_is_not_taken_for_an_infinity(values: list[float], finite: bool) -> None:
    assert run._is_finite(torch.tensor(values).view(1, 1, 2, 1)) == finite


def test_damaged_weights_are_an_error() -> None:
    model = small_rrdb()
    model.conv_last.bias.data[1] = float("nan")
    with pytest.raises(NonFiniteError, match="damaged"):
        upscaler_of(model, "cpu", "float32")(PIXELS)


def test_the_device_never_holds_the_large_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    largest = 0
    tail = ENGINE.tail

    def watched(self: Engine, features: Tensor) -> Tensor:
        nonlocal largest
        values = tail(self, features)
        largest = max(largest, values.numel())
        return values

    monkeypatch.setattr(ENGINE, "tail", watched)
    upscaler_of(MODEL, "cpu", "float32")(photo(300, 260))
    assert largest <= 3 * (4 * (128 + 4)) ** 2
