"""Devices: which there are, how much memory is free, and what they compute fast."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import torch

from esrgan_torch.errors import ConfigError

CGROUP = Path("/sys/fs/cgroup")


def resolve_device(device: str | torch.device) -> torch.device:
    """The device that a name means; "auto" takes the first of cuda, mps, cpu that works.

    Raises:
        ConfigError: not a device, or one that this machine or this build of PyTorch lacks.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise ConfigError(f"{device!r} is not a device; give auto, cpu, cuda, cuda:N or mps") from error
    if resolved.type == "cuda":
        count = torch.cuda.device_count()
        if not torch.cuda.is_available() or (resolved.index or 0) >= count:
            built = torch.version.cuda or "none: this is a CPU build of PyTorch"
            raise ConfigError(f"no device {device}: {count} CUDA devices found, CUDA of the build: {built}")
    elif resolved.type == "mps":
        if not torch.backends.mps.is_available():
            raise ConfigError("no device mps: it needs macOS 14 or later on an Apple chip")
    elif resolved.type != "cpu":
        raise ConfigError(f"device {device!r} is not supported; give auto, cpu, cuda, cuda:N or mps")
    return resolved


def device_name(device: torch.device) -> str:
    """A name for people, such as "NVIDIA H200 (cuda:0)" or "CPU, 2 threads"."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device})"
    if device.type == "cpu":
        return f"CPU, {torch.get_num_threads()} threads"
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


def free_memory(device: torch.device) -> int:
    """Bytes that can be allocated on the device now; a container's limit counts."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return free + cached
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return min(psutil.virtual_memory().available, _container_memory(CGROUP))


def _container_memory(root: Path) -> int:
    """Bytes left under the limit of the container that the process runs in (cgroup version 2, then 1)."""
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            allowed = (root / limit).read_text().strip()
            if allowed != "max":
                return max(int(allowed) - int((root / used).read_text()), 0)
        except OSError:  # no such file: no such container
            continue
    return psutil.virtual_memory().total


@contextmanager
def full_float32(device: torch.device) -> Generator[None]:
    """Convolutions in float32 as such while this lasts: CUDA's default for them, TF32, keeps 10 bits of 23.

    The switch is the process's, so while several threads need it, it stays until the last is done.
    """
    if device.type != "cuda":
        yield
        return
    with _tf32:
        if not _needed:
            _restore.append(_switch_tf32_off())
        _needed.append(device)
    try:
        yield
    finally:
        with _tf32:
            _needed.remove(device)
            if not _needed:
                _restore.pop()()


_tf32 = threading.Lock()
_needed: list[torch.device] = []
_restore: list[Callable[[], None]] = []


def _switch_tf32_off() -> Callable[[], None]:
    """Returns what puts back what was."""
    cudnn: Any = torch.backends.cudnn
    try:
        place, name, off = cudnn, "allow_tf32", False
        before = cudnn.allow_tf32
    except (
        RuntimeError
    ):  # the user has set torch's newer switches, which the older one then refuses to sum up
        place, name, off = cudnn.conv, "fp32_precision", "ieee"
        before = cudnn.conv.fp32_precision
    setattr(place, name, off)
    return lambda: setattr(place, name, before)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether PyTorch or OpenVINO raised this because memory ran out; only CUDA has a class for it."""
    said = ("can't allocate memory", "out of memory", "not enough memory", "bad_alloc")
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in said)


def release_memory(device: torch.device) -> None:
    """Give cached blocks back, so that a smaller plan finds them in one piece."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
