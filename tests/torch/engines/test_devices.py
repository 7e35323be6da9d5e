"""Devices: names, memory, and what running out of it looks like."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from esrgan_torch.engines import containers, devices
from esrgan_torch.engines.devices import (
    computes_bfloat16_fast,
    device_name,
    free_memory,
    is_out_of_memory,
    recent_free_memory,
    resolve_device,
    threads,
)
from esrgan_torch.errors import ConfigError


@pytest.fixture
def accelerator(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Makes PyTorch say that it has two of a kind of accelerator, of which number 1 is current, or none."""

    def there_is(kind: str | None) -> None:
        found = None if kind is None else torch.device(kind)
        monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available=False: found)
        monkeypatch.setattr(torch.accelerator, "device_count", lambda: 0 if kind is None else 2)
        monkeypatch.setattr(torch.accelerator, "current_device_index", lambda: 1)

    return there_is


@pytest.mark.parametrize(
    ("kind", "taken"), [("cuda", "cuda:1"), ("xpu", "xpu:1"), ("mps", "mps"), (None, "cpu")]
)
def test_auto_takes_what_is_there(
    kind: str | None, taken: str, accelerator: Callable[[str | None], None]
) -> None:
    accelerator(kind)
    assert str(resolve_device("auto")) == taken


def test_devices_keep_their_number(accelerator: Callable[[str | None], None]) -> None:
    accelerator("cuda")
    assert resolve_device("cuda") == torch.device("cuda", 1)
    assert resolve_device("cuda:0") == torch.device("cuda", 0)
    assert resolve_device(torch.device("cpu")) == torch.device("cpu")
    with pytest.raises(ConfigError, match="no device cuda:2; give auto, cpu, cuda:0, cuda:1"):
        resolve_device("cuda:2")
    with pytest.raises(ConfigError, match=r"no device mps: .* have cuda; give auto, cpu, cuda:0"):
        resolve_device("mps")


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "xpu", "meta", ""])
def test_devices_that_are_not_there_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="give auto"):
        resolve_device(name)


@pytest.fixture
def nvidia_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "version").touch()
    monkeypatch.setattr(devices, "NVIDIA_DRIVER", (tmp_path / "version",))
    devices._tell_unused_gpu.cache_clear()


@pytest.mark.usefixtures("nvidia_driver")
def test_a_gpu_that_this_pytorch_cannot_use_is_told_once(
    accelerator: Callable[[str | None], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    accelerator(None)
    monkeypatch.setattr(torch.version, "cuda", None)
    resolve_device("auto")
    resolve_device("auto")
    assert caplog.text.count(devices.INSTALL_CUDA) == 1
    with pytest.raises(ConfigError, match=r"no device cuda: an NVIDIA GPU is here, .* pip install"):
        resolve_device("cuda")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    assert devices.unused_gpu() is None


def test_without_a_driver_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(devices, "NVIDIA_DRIVER", (tmp_path / "version",))
    devices._tell_unused_gpu.cache_clear()
    resolve_device("auto")
    assert caplog.text == ""


def test_free_memory_is_that_of_the_machine() -> None:
    assert 2**20 < free_memory(torch.device("cpu")) < 2**50


@pytest.mark.parametrize("left", [0, 3000])
def test_a_container_limits_it(left: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "memory_left", lambda: left)
    assert free_memory(torch.device("cpu")) == left


def test_no_limit_is_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "memory_left", lambda: None)
    assert free_memory(torch.device("cpu")) > 2**20


def test_a_quota_limits_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    for most, expected in ((None, 8), (3, 3), (64, 8)):
        monkeypatch.setattr(containers, "most_threads", lambda most=most: most)
        assert threads() == expected
        assert device_name(torch.device("cpu")) == f"CPU, {expected} threads"


def test_running_out_of_memory_is_recognised() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert is_out_of_memory(RuntimeError("Exception from src/inference: std::bad_alloc"))
    assert not is_out_of_memory(RuntimeError("shapes do not match"))


def test_bfloat16_is_asked_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    for found, expected in (
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({"avx2": True}, False),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=found: found)
        assert computes_bfloat16_fast(torch.device("cpu")) is expected
    assert not computes_bfloat16_fast(torch.device("mps"))


def test_free_memory_is_asked_once_in_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter((300, 200, 100))
    now = 1000.0 * devices.MOMENT
    monkeypatch.setattr(devices, "free_memory", lambda device: next(answers))
    monkeypatch.setattr(devices.time, "monotonic", lambda: now)
    devices._free_in.cache_clear()
    cpu, other = torch.device("cpu"), torch.device("meta")
    assert [recent_free_memory(cpu) for _ in range(3)] == [300, 300, 300]
    now += devices.MOMENT
    assert [recent_free_memory(cpu) for _ in range(2)] == [200, 200]
    assert recent_free_memory(other) == 100  # of accelerators it is asked each time
    devices._free_in.cache_clear()


def test_memory_that_mps_has_cached_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each picture would leave less for the next one. It is the machine's own memory."""
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 1000)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 700)
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 100)
    assert free_memory(torch.device("mps")) == 900
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 2**60)
    assert free_memory(torch.device("mps")) < 2**50


def test_an_intel_gpu_whose_driver_does_not_tell_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    class Properties:
        total_memory = 1000

    def untold(device: torch.device) -> tuple[int, int]:
        raise RuntimeError("The device does not have the ext_intel_free_memory aspect")

    monkeypatch.setattr(torch.xpu, "mem_get_info", lambda device: (300, 1000))
    monkeypatch.setattr(torch.xpu, "memory_reserved", lambda device: 400)
    monkeypatch.setattr(torch.xpu, "memory_allocated", lambda device: 150)
    monkeypatch.setattr(torch.xpu, "get_device_properties", lambda device: Properties)
    assert free_memory(torch.device("xpu", 0)) == 550
    monkeypatch.setattr(torch.xpu, "mem_get_info", untold)
    assert free_memory(torch.device("xpu", 0)) == 850
