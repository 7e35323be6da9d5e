"""Devices: which there are, how much memory is free, and what they compute fast."""

import logging
import time
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import psutil
import torch

from esrgan_torch.engines import containers
from esrgan_torch.engines.ncnn import vulkan
from esrgan_torch.errors import ConfigError

log = logging.getLogger("esrgan_torch")

MOMENT = 0.25  # seconds
# what NVIDIA's driver brings: on Linux, in the Linux of Windows, on Windows
NVIDIA_DRIVER = (
    Path("/proc/driver/nvidia/version"),
    Path("/usr/lib/wsl/lib/libcuda.so.1"),
    Path("C:/Windows/System32/nvcuda.dll"),
)
_SHOWN = 40  # characters of a name that is none
INSTALL_CUDA = "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu130"


def resolve_device(device: str | int | torch.device) -> torch.device:
    """The device that a name or an accelerator's number means; "auto": the accelerator, else the CPU.

    Accelerators as PyTorch names them: cuda (NVIDIA's, and AMD's in its build for ROCm), mps, xpu, others.

    Raises:
        ConfigError: not a device, or one that this machine or this build of PyTorch lacks.
    """
    found = torch.accelerator.current_accelerator(check_available=True)
    if device == "auto":
        if found is None:
            _tell_unused_gpu()
        return torch.device("cpu") if found is None else _numbered(found)
    try:
        if isinstance(device, int):
            device = f"{found or 'cuda'}:{device}"
        resolved = torch.device(device)
    except (RuntimeError, TypeError, ValueError) as error:
        shown = repr(device) if isinstance(device, str) else "that number"
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
        raise ConfigError(f"{shown} is not a device; give {_devices_here(found)}") from error
    if resolved.type == "cpu":
        return resolved
    if found is None or resolved.type != found.type:
        cause = f"this machine and this build of PyTorch have {found or 'no accelerator'}"
        built = torch.version.cuda or torch.version.hip or "none: this is a CPU build of PyTorch"
        if resolved.type == "cuda":
            cause = unused_gpu() or f"no CUDA device was found, CUDA of the build: {built}"
        raise ConfigError(f"no device {device}: {cause}; give {_devices_here(found)}")
    if (resolved.index or 0) >= torch.accelerator.device_count():
        raise ConfigError(f"no device {device}; give {_devices_here(found)}")
    return _numbered(resolved)


def _numbered(device: torch.device) -> torch.device:
    """With the number that it has now: the program may choose another current device later."""
    if ":" in str(device) or device.type == "mps":
        return device
    return torch.device(device.type, torch.accelerator.current_device_index())


def _devices_here(found: torch.device | None) -> str:
    if found is None:
        return "auto or cpu"
    count = torch.accelerator.device_count()
    return ", ".join(["auto", "cpu", *(f"{found.type}:{number}" for number in range(count))])


def unused_gpu() -> str | None:
    """What to do where an NVIDIA GPU is here and PyTorch is a build that cannot use it; None elsewhere.

    The package index's PyTorch for Windows is such a build, and so is one from PyTorch's index for CPUs.
    """
    if torch.version.cuda is not None or torch.version.hip is not None:
        return None
    if not any(path.exists() for path in NVIDIA_DRIVER):
        return None
    return f"an NVIDIA GPU is here, and this PyTorch ({torch.__version__}) cannot use it: {INSTALL_CUDA}"


@cache
def _tell_unused_gpu() -> None:
    text = unused_gpu()
    if text is not None:
        log.warning("%s; until then the CPU computes", text)


def device_name(device: torch.device) -> str:
    """A name for people, such as "NVIDIA H200 (cuda:0)" or "CPU, 2 threads"."""
    if device.type == "cpu":
        return f"CPU, {threads()} threads"
    if device.type == vulkan.VULKAN:
        return f"{vulkan.vulkan_devices()[device.index or 0].name} ({device})"
    if device.type in ("cuda", "xpu"):
        return f"{torch.get_device_module(device).get_device_name(device)} ({device})"
    return str(device)


def computes_bfloat16_fast(device: torch.device) -> bool:
    """Whether the device has bfloat16 arithmetic; a CPU without it takes 3x the time of float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    if hasattr(torch.cpu, "get_capabilities"):
        found = torch.cpu.get_capabilities()
        return bool(found.get("avx512_bf16") or found.get("amx_bf16"))
    return torch.cpu._is_avx512_bf16_supported()  # pyright: ignore[reportPrivateUsage]  # until torch 2.9


def has_amx() -> bool:
    """Whether the processor multiplies matrices of bfloat16 in units of their own: x86 with AMX."""
    return hasattr(torch.cpu, "get_capabilities") and bool(torch.cpu.get_capabilities().get("amx_bf16"))


def free_memory(device: torch.device) -> int:
    """Bytes that can be allocated on the device now; the limits of all containers around count."""
    if device.type == "mps":  # the machine's own memory; what the driver holds for no tensor is used again
        cached = torch.mps.driver_allocated_memory() - torch.mps.current_allocated_memory()
        left = torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
        return min(left, free_memory(torch.device("cpu")) + cached)
    if device.type == vulkan.VULKAN:  # pictures and features are in the host's memory, often the GPU's too
        return min(vulkan.budget(device.index or 0), free_memory(torch.device("cpu")))
    if device.type != "cpu":
        module = torch.get_device_module(device)
        return _driver_free(module, device) + module.memory_reserved(device) - module.memory_allocated(device)
    available = psutil.virtual_memory().available
    left = containers.memory_left()
    return available if left is None else min(available, left)


def _driver_free(module: Any, device: torch.device) -> int:
    """Bytes that the driver has left; where it does not tell, as of some of Intel's GPUs, all but our own."""
    try:
        return int(module.mem_get_info(device)[0])
    except RuntimeError:
        return int(module.get_device_properties(device).total_memory) - int(module.memory_reserved(device))


def recent_free_memory(device: torch.device) -> int:
    """As `free_memory`; on the CPU it may be a quarter of a second old.

    To ask the system takes up to a millisecond when no cache holds what it reads, which counts for pictures
    that are computed in some ten. One that takes memory enough to matter takes longer than the answer holds.
    """
    return free_memory(device) if device.type != "cpu" else _free_in(int(time.monotonic() / MOMENT))


@lru_cache(maxsize=1)
def _free_in(_: int) -> int:
    """In a moment, by its number."""
    return free_memory(torch.device("cpu"))


def threads() -> int:
    """How many threads compute on the CPU: PyTorch's, and no more than a container's quota is worth."""
    most = containers.most_threads()
    return torch.get_num_threads() if most is None else min(torch.get_num_threads(), most)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether PyTorch or OpenVINO raised this because memory ran out; only CUDA has a class for it."""
    said = ("can't allocate memory", "out of memory", "not enough memory", "bad_alloc")
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in said)


def release_memory(device: torch.device) -> None:
    """Give cached blocks back, so that a smaller plan finds them in one piece."""
    if device.type not in ("cpu", vulkan.VULKAN):
        torch.get_device_module(device).empty_cache()
