"""Which networks run on the kernels, and that the others are told why they do not."""

import subprocess
import sys

import pytest
import torch

from esrgan_torch.engines.cuda import choose, tuning
from esrgan_torch.errors import ConfigError
from esrgan_torch.upscaler import Upscaler
from tests.torch.networks import small_compact, small_rrdb

CUDA = torch.device("cuda")
GOOD = {"features": 64, "growth": 32, "blocks": 1}


@pytest.fixture
def hopper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))
    monkeypatch.setattr(choose, "find_spec", lambda _: object())


@pytest.mark.usefixtures("hopper")
def test_official_sizes_are_supported() -> None:
    assert choose.unsupported(small_rrdb(**GOOD), CUDA, torch.float16) is None
    assert choose.unsupported(small_rrdb(**GOOD, scale=2, unshuffle=2), CUDA, torch.bfloat16) is None


@pytest.mark.usefixtures("hopper")
def test_reasons() -> None:
    model = small_rrdb(**GOOD)
    cpu = torch.device("cpu")
    assert "CompactNet" in str(choose.unsupported(small_compact(), CUDA, torch.float16))
    assert "float16" in str(choose.unsupported(model, CUDA, torch.float32))
    assert "not cpu" in str(choose.unsupported(model, cpu, torch.bfloat16))
    assert "48, 32" in str(choose.unsupported(small_rrdb(**{**GOOD, "features": 48}), CUDA, torch.float16))
    assert "64, 24" in str(choose.unsupported(small_rrdb(**{**GOOD, "growth": 24}), CUDA, torch.float16))


@pytest.mark.usefixtures("hopper")
def test_devices_and_installations(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_rrdb(**GOOD)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    assert "7.5" in str(choose.unsupported(model, CUDA, torch.float16))
    monkeypatch.setattr(choose, "find_spec", lambda _: None)
    assert "Triton is not installed" in str(choose.unsupported(model, CUDA, torch.float16))


@pytest.mark.usefixtures("hopper")
def test_amd_devices_have_capabilities_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "hip", "7.0")
    assert "ROCm" in str(choose.unsupported(small_rrdb(**GOOD), CUDA, torch.float16))
    assert not choose.is_verified(CUDA)


@pytest.mark.usefixtures("hopper")
def test_only_devices_with_a_recorded_run_take_them_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not choose.is_verified(CUDA)
    monkeypatch.setattr(tuning, "VERIFIED", frozenset({(9, 0)}))
    assert choose.is_verified(CUDA)


def test_the_cpu_has_no_kernels() -> None:
    with pytest.raises(ConfigError, match=r"engine triton cannot run this: .* not cpu; give engine auto"):
        choose.make_kernel_engine(small_rrdb(), torch.device("cpu"), torch.bfloat16)


def test_the_option_of_upscaler() -> None:
    Upscaler(small_rrdb(), device="cpu", dtype="float32", engine="eager")
    with pytest.raises(ConfigError, match="auto, eager, native, openvino, ncnn, triton, not 'fast'"):
        Upscaler(small_rrdb(), device="cpu", engine="fast")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="engine triton cannot run this"):
        Upscaler(small_rrdb(), device="cpu", engine="triton")


def test_choosing_does_not_import_triton() -> None:
    code = "import sys, esrgan_torch.upscaler; assert 'triton' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
