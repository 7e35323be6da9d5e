"""Devices: names, memory, and what running out of it looks like."""

from pathlib import Path

import pytest
import torch

from esrgan_torch import devices
from esrgan_torch.devices import (
    computes_bfloat16_fast,
    free_memory,
    full_float32,
    is_out_of_memory,
    resolve_device,
)
from esrgan_torch.errors import ConfigError


def test_auto_takes_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto").type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert resolve_device("auto").type == "mps"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert resolve_device("auto").type == "cpu"


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "xpu", ""])
def test_devices_that_are_not_there_are_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        resolve_device(name)


def test_free_memory_is_that_of_the_machine() -> None:
    assert 2**20 < free_memory(torch.device("cpu")) < 2**50


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({"memory.max": "5000\n", "memory.current": "2000\n"}, 3000),
        ({"memory.max": "5000\n", "memory.current": "7000\n"}, 0),
        ({"memory/memory.limit_in_bytes": "900", "memory/memory.usage_in_bytes": "100"}, 800),
    ],
)
def test_a_container_limits_it(
    files: dict[str, str], left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(devices, "CGROUP", tmp_path)
    assert free_memory(torch.device("cpu")) == left


def test_no_limit_is_no_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    monkeypatch.setattr(devices, "CGROUP", tmp_path)
    assert free_memory(torch.device("cpu")) > 2**20


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


def test_tf32_is_off_until_the_last_that_needs_it_off_is_done() -> None:
    cudnn = torch.backends.cudnn
    assert cudnn.allow_tf32
    first, second = full_float32(torch.device("cuda:0")), full_float32(torch.device("cuda:1"))
    with first:
        assert not cudnn.allow_tf32
        second.__enter__()
    assert not cudnn.allow_tf32
    second.__exit__(None, None, None)
    assert cudnn.allow_tf32


def test_tf32_stays_as_the_user_has_it() -> None:
    cudnn = torch.backends.cudnn
    cudnn.allow_tf32 = False
    try:
        with pytest.raises(RuntimeError, match="made up"), full_float32(torch.device("cuda")):
            raise RuntimeError("made up")
        assert not cudnn.allow_tf32
    finally:
        cudnn.allow_tf32 = True
    with full_float32(torch.device("cpu")):
        assert cudnn.allow_tf32


def test_tf32_is_off_where_the_user_has_set_the_newer_switches() -> None:
    conv = torch.backends.cudnn.conv
    conv.fp32_precision, before = "tf32", torch.backends.cudnn.rnn.fp32_precision
    torch.backends.cudnn.rnn.fp32_precision = "ieee"
    try:
        with full_float32(torch.device("cuda")):
            assert conv.fp32_precision == "ieee"
        assert conv.fp32_precision == "tf32"
    finally:
        torch.backends.cudnn.rnn.fp32_precision = before
    assert torch.backends.cudnn.allow_tf32
