from importlib import metadata
from pathlib import Path

import pytest
import torch

from esrgan_cli.commands import doctor
from esrgan_cli.commands.doctor import Extra, find_extras, installed_version
from esrgan_cli.main import main
from esrgan_torch.engines import devices
from esrgan_torch.engines import packed as engine_packed
from esrgan_torch.engines.cuda import choose, tuning
from esrgan_torch.engines.native import build
from esrgan_torch.engines.native.engine import FAST_LEVELS, fastest_level
from esrgan_torch.engines.ncnn import vulkan
from esrgan_torch.engines.ncnn.vulkan import VulkanDevice


def test_facts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "realesrgan-x4plus").mkdir()
    (tmp_path / "realesrgan-x4plus" / "weights.bin").write_bytes(bytes(2_500_000))
    assert main(["doctor", "--cache", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    facts = {line.split()[0]: line for line in captured.out.splitlines()}
    assert {"versions", "devices", "models", "extras"} <= set(facts)
    assert torch.__version__ in facts["torch"]
    assert str(tmp_path) in facts["folder"]
    assert facts["realesrgan-x4plus"].endswith("2.5 MB")
    assert f"{torch.get_num_threads()} threads, bfloat16 is " in facts["cpu"]
    assert facts["cpu"].endswith("GiB free")
    native = fastest_level()
    assert facts["native"].endswith(build.reason())
    assert ("runs with" in facts["native"]) == (native is not None)
    faster = native in FAST_LEVELS
    said = "RRDBNet     float32 by the native engine, the fastest engine for RRDBNet by measurement"
    assert (said in captured.out) == faster
    fast = engine_packed.is_available(torch.bfloat16)
    packed = "bfloat16 by PyTorch with weights packed by oneDNN, the fastest usable engine for RRDBNet"
    assert (packed in captured.out) == fast
    assert ("bfloat16 by OpenVINO, the fastest usable engine for CompactNet" in captured.out) == fast


def test_without_the_native_engine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "_find", lambda: build.Found(None, "there is no C compiler"))
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    facts = {line.split()[0]: line for line in reversed(said.splitlines()) if line.split()}
    assert facts["native"].endswith("there is no C compiler")
    packed = engine_packed.is_available()
    assert ("by OpenVINO, the fastest usable engine" in facts["CompactNet"]) == packed
    span = (
        "SPAN        float32 by PyTorch, which runs everywhere; not the native engine: there is no C compiler"
    )
    assert span in said


@pytest.fixture
def hopper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two devices of compute capability 9.0."""
    monkeypatch.setattr(
        torch.accelerator, "current_accelerator", lambda check_available: torch.device("cuda")
    )
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H200")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (3 * 2**30, 4 * 2**30))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 2**30)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 0)


@pytest.mark.usefixtures("hopper")
def test_gpus_and_whether_the_kernels_run_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["doctor"])
    said = " ".join(capsys.readouterr().out.split())
    for number in (0, 1):
        assert f"cuda:{number} NVIDIA H200 (cuda:{number}), 4.0 GiB free; compute capability 9.0" in said
    none = "not the project's CUDA kernels: they have no recorded run on this kind of device"
    assert f"RRDBNet float16 by PyTorch, which runs everywhere; {none}" in said
    assert "CompactNet float16 by PyTorch, which runs everywhere CompactNet" in said
    monkeypatch.setattr(tuning, "VERIFIED", frozenset({(9, 0)}))
    monkeypatch.setattr(choose, "find_spec", lambda _: object())  # Triton
    main(["doctor"])
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "RRDBNet float16 by the project's CUDA kernels, the fastest engine for RRDBNet by measurement" in said
    )
    monkeypatch.setattr(torch.version, "hip", "7.0")
    main(["doctor"])
    assert f"RRDBNet float16 by PyTorch, which runs everywhere; {none}" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_gpu_that_this_pytorch_cannot_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: None)
    monkeypatch.setattr(devices, "NVIDIA_DRIVER", (Path(__file__),))
    main(["doctor"])
    said = capsys.readouterr().out
    assert "none found (PyTorch is a CPU build)" in said
    assert devices.INSTALL_CUDA in said


def test_vulkan_devices(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = (VulkanDevice(0, "AMD Radeon", "discrete"), VulkanDevice(1, "llvmpipe", "processor"))
    monkeypatch.setattr(vulkan, "missing", lambda number: None)
    monkeypatch.setattr(vulkan, "vulkan_devices", lambda: found)
    monkeypatch.setattr(vulkan, "best_gpu", lambda: 0)
    monkeypatch.setattr(vulkan, "budget", lambda number: 2**31)
    main(["doctor"])
    said = capsys.readouterr().out
    assert "vulkan:0    AMD Radeon, discrete GPU, 2.0 GiB may be allocated; float32 by ncnn" in said
    assert "vulkan:1    llvmpipe, a processor, used only on request, 2.0 GiB" in said
    assert "used if PyTorch has no accelerator" in said
    monkeypatch.undo()
    monkeypatch.setattr(vulkan, "is_installed", lambda: False)
    main(["doctor"])
    assert (
        'vulkan      none: ncnn is not installed: pip install "esrgan-torch[ncnn]"' in capsys.readouterr().out
    )


def test_an_empty_cache(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--cache", str(tmp_path / "nothing")]) == 0
    said = capsys.readouterr().out
    assert "MB, installed with the project" in said
    assert "realesrgan" not in said
    assert "downloaded at first use" in said


def test_extras() -> None:
    requirements = [
        "numpy>=1.26",
        'pytest>=8; extra == "dev"',
        "no-such-distribution~=1.0 ; extra == 'dev'",
        "no-such-distribution; extra == 'tools'",
        "numpy<3,>=1; extra == 'tools'",
        'only-elsewhere; sys_platform == "never" and extra == "train"',
        'numpy; extra == "train"',
    ]
    numpy = f"numpy {metadata.version('numpy')}"
    assert find_extras(["dev", "tools", "train", "none"], requirements) == [
        Extra("dev", ("no-such-distribution",), (f"pytest {metadata.version('pytest')}",)),
        Extra("tools", ("no-such-distribution",), (numpy,)),
        Extra("train", (), (numpy,)),
        Extra("none", (), ()),
    ]


def test_a_missing_extra_comes_with_its_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    package = metadata.metadata("numpy")
    package["Provides-Extra"] = "tools"
    package["Requires-Dist"] = 'no-such-distribution; extra == "tools"'

    def fake(_: str) -> metadata.PackageMetadata:
        return package

    monkeypatch.setattr(doctor.metadata, "metadata", fake)
    main(["doctor", "--cache", str(tmp_path)])
    assert 'missing no-such-distribution: pip install "esrgan-torch[tools]"' in capsys.readouterr().out


def test_a_checkout_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "PACKAGE", "no-such-distribution")
    assert main(["doctor", "--cache", str(tmp_path)]) == 0
    assert "is not installed" in capsys.readouterr().out


def test_installed_version() -> None:
    assert installed_version("numpy") == metadata.version("numpy")
    assert installed_version("no-such-distribution") is None
