"""Devices that nobody has tried show a right picture first. Here a CPU stands for one."""

import pytest
import torch
from torch import Tensor

from esrgan_torch.engines import choose
from esrgan_torch.engines.choose import make_engine
from esrgan_torch.engines.compact import CompactEngine
from esrgan_torch.engines.self_test import is_untried
from esrgan_torch.errors import EngineError
from tests.torch.networks import small_compact, small_rrdb

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "is_untried", lambda device: True)


def test_which_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("cpu", "cuda", "xpu", "mps", "vulkan")
    assert [is_untried(torch.device(name)) for name in names] == [False, False, True, True, True]
    monkeypatch.setattr(torch.version, "hip", "7.0")  # AMD's GPUs are called cuda as well
    assert is_untried(torch.device("cuda"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    "model", [small_compact(), small_rrdb(scale=2, unshuffle=2)], ids=["compact", "rrdb"]
)
def test_a_right_device_passes(model: torch.nn.Module, dtype: torch.dtype) -> None:
    assert make_engine(model, CPU, dtype, "eager").dtype == dtype  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("fault", [0.01, float("nan")])
def test_a_wrong_value_is_found(fault: float, monkeypatch: pytest.MonkeyPatch) -> None:
    tail = CompactEngine._tail

    def wrong(self: CompactEngine, features: Tensor) -> Tensor:
        found = tail(self, features)
        found[..., 0, 0] += fault
        return found

    monkeypatch.setattr(CompactEngine, "_tail", wrong)
    with pytest.raises(EngineError, match=r"CPU, \d+ threads gives another result than the CPU .*driver"):
        make_engine(small_compact(), CPU, torch.float32, "eager")


def test_an_operator_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: CompactEngine, features: Tensor) -> Tensor:
        raise NotImplementedError("aten::pixel_shuffle is not implemented for this device")

    monkeypatch.setattr(CompactEngine, "_tail", missing)
    with pytest.raises(EngineError, match="fails on a test picture: aten::pixel_shuffle"):
        make_engine(small_compact(), CPU, torch.float32, "eager")
