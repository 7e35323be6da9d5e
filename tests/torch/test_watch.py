"""Progress and the wish to stop: the caller's errors are the caller's, and nothing is broken by them."""

import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch

from esrgan_torch import CancelledError, Picture, Tiling, Upscaler
from esrgan_torch.engines import rrdb as engine_module
from esrgan_torch.engines.choose import EngineName
from esrgan_torch.networks.base import Generator
from esrgan_torch.watch import Watch
from tests.torch.networks import small_compact, small_rrdb
from tests.torch.test_upscaler import photo

PIXELS = photo(40, 36)


class SomeoneElses(RuntimeError):
    """An error whose text engines know as theirs."""


def after(count: int, act: Callable[[], None]) -> Callable[[float], None]:
    """Acts when it is told for the `count`th time."""
    calls = iter(range(count - 1))

    def told(_: float) -> None:
        if next(calls, None) is None:
            act()

    return told


@pytest.mark.parametrize("count", range(1, 7))
@pytest.mark.parametrize("tiling", ["exact", Tiling("overlap", 20, 4)])
def test_a_callback_s_error_comes_out_as_it_is(count: int, tiling: Tiling) -> None:
    upscaler = Upscaler(small_rrdb(), "cpu", "float32", tiling, engine="eager")
    expected = upscaler.upscale(Picture(PIXELS))
    raised = SomeoneElses("CUDA out of memory: the caller's own")

    def complain() -> None:
        raise raised

    with pytest.raises(SomeoneElses) as found:
        upscaler.upscale(Picture(PIXELS), after(count, complain))
    assert found.value is raised
    assert found.value.__cause__ is None
    assert upscaler._engine._band_bytes == engine_module.BAND_BYTES, "it did not shrink"
    again = upscaler.upscale(Picture(PIXELS))
    assert again.divided == 0
    np.testing.assert_array_equal(again.picture.pixels, expected.picture.pixels)


def networks() -> list[tuple[Generator, EngineName]]:
    return [(small_rrdb(), "eager"), (small_compact(), "eager"), (small_compact(), "openvino")]


@pytest.mark.parametrize(("model", "engine"), networks(), ids=["rrdb", "compact", "openvino"])
def test_a_flag_ends_the_work(model: Generator, engine: EngineName) -> None:
    if engine == "openvino":
        pytest.importorskip("openvino")
    upscaler = Upscaler(model, "cpu", "float32", engine=engine)
    cancel = threading.Event()
    told: list[float] = []

    def progress(share: float) -> None:
        told.append(share)
        if share > 0:
            cancel.set()

    with pytest.raises(CancelledError, match="cancel"):
        upscaler.upscale(Picture(PIXELS), progress, cancel)
    assert told[-1] < 1
    cancel.clear()
    assert upscaler.upscale(Picture(PIXELS), None, cancel).picture.height == 160


def test_a_flag_that_is_set_before_computes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    upscaler = Upscaler(small_compact(), "cpu", "float32")
    cancel = threading.Event()
    cancel.set()
    monkeypatch.setattr(type(upscaler._engine), "trunk", None)
    with pytest.raises(CancelledError):
        upscaler.upscale(Picture(PIXELS), cancel=cancel)


def test_openvino_listens_while_it_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino")
    monkeypatch.setattr("esrgan_torch.engines.openvino.GLANCE", 1)
    upscaler = Upscaler(small_compact(features=32, convolutions=40), "cpu", "float32", engine="openvino")
    told: list[float] = []

    def stop(share: float) -> None:
        told.append(share)
        if len(told) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        upscaler.upscale(Picture(photo(200, 200)), stop)
    assert told == [0, 0, 0]
    assert upscaler(PIXELS).shape == (160, 144, 3)


def test_what_the_caller_computes_in_a_callback_is_not_for_inference() -> None:
    kinds: list[bool] = []

    def progress(_: float) -> None:
        kinds.append(torch.zeros(1, requires_grad=True).is_inference())

    Upscaler(small_rrdb(), "cpu", "float32").upscale(Picture(PIXELS), progress)
    assert kinds
    assert not any(kinds)


def test_an_engine_s_error_is_not_the_caller_s() -> None:
    watch = Watch(None, None)
    watch(0.5)
    assert not watch.caused(RuntimeError("out of memory"))
