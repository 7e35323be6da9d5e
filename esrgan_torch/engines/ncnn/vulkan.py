"""The Vulkan devices of this machine, through the package `ncnn`, which is imported when one is asked for."""

import os
import threading
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from esrgan_torch.quiet import quiet_stderr

MODULE = "ncnn"
VULKAN = "vulkan"  # of a device's name, and the kind that PyTorch has for it
INSTALL = 'pip install "esrgan-torch[ncnn]"'
# as Vulkan numbers them
KINDS = {0: "discrete", 1: "integrated", 2: "virtual", 3: "processor"}

_starting = threading.Lock()


@dataclass(frozen=True)
class VulkanDevice:
    """One device.

    Args:
        number: by which it is asked for: vulkan:0.
        name: its driver's.
        kind: "discrete", "integrated", "virtual", or "processor" for one that computes without a GPU.
    """

    number: int
    name: str
    kind: str


def is_installed() -> bool:
    """Whether the extra `ncnn` is here; nothing is imported."""
    return find_spec(MODULE) is not None


def import_ncnn() -> Any:
    """The package, with Vulkan started; what it prints about each device is kept back.

    Raises:
        ImportError, OSError: it is not installed, or does not start.
    """
    with _starting:
        return _started(os.getpid())


@cache
def _started(process: int) -> Any:
    with quiet_stderr():
        ncnn = import_module(MODULE)
        ncnn.get_gpu_count()
    return ncnn


def vulkan_devices() -> tuple[VulkanDevice, ...]:
    """All of them, in ncnn's order, a GPU before a processor; none where there is no driver or no ncnn.

    Raises:
        ImportError, OSError: ncnn is installed and does not start.
    """
    if not is_installed():
        return ()
    ncnn = import_ncnn()
    infos = [ncnn.get_gpu_info(number) for number in range(ncnn.get_gpu_count())]
    return tuple(
        VulkanDevice(number, str(info.device_name()), KINDS.get(info.type(), "other"))
        for number, info in enumerate(infos)
    )


def best_gpu() -> int | None:
    """The number of the GPU that ncnn itself would take; None where there is none, or ncnn does not start."""
    try:
        devices = vulkan_devices()
        default = import_ncnn().get_default_gpu_index() if devices else -1
    except (ImportError, OSError):
        return None
    gpus = [device.number for device in devices if device.kind in ("discrete", "integrated", "virtual")]
    return default if default in gpus else next(iter(gpus), None)


def missing(number: int) -> str | None:
    """None where there is a device of this number, else what is lacking and what to do."""
    if not is_installed():
        return f"ncnn is not installed: {INSTALL}"
    try:
        count = len(vulkan_devices())
    except (ImportError, OSError) as error:
        return f"ncnn does not start: {error}"
    if count == 0:
        return (
            "there is no Vulkan driver; install the GPU's (on Debian for AMD and Intel mesa-vulkan-drivers)"
        )
    if number >= count:
        known = ", ".join(f"{VULKAN}:{each}" for each in range(count))
        return f"there is no Vulkan device {number}, but {known}"
    return None


def budget(number: int) -> int:
    """Bytes that may be allocated on a device, as its driver tells."""
    return int(import_ncnn().get_gpu_device(number).get_heap_budget()) * 2**20
