"""Where pictures are enlarged: PyTorch's devices, and those that ncnn computes on by Vulkan."""

import torch

from esrgan_torch.engines.devices import resolve_device
from esrgan_torch.engines.ncnn import vulkan
from esrgan_torch.errors import ConfigError

BY_NCNN = ("auto", "ncnn")


def resolve_place(device: str | int | torch.device, engine: str) -> torch.device:
    """As `resolve_device`, and "vulkan" or "vulkan:1" too.

    With engine "ncnn", "auto" is the GPU that ncnn takes by itself, else whatever Vulkan device there is.
    With engine "auto" it is a GPU by Vulkan only where PyTorch has no accelerator.

    Raises:
        ConfigError: no such device here, or one that the engine does not compute on.
    """
    if device == "auto" and engine == "ncnn":
        return _vulkan(vulkan.best_gpu() or 0)
    if isinstance(device, str | torch.device) and str(device).split(":")[0] == vulkan.VULKAN:
        if engine not in BY_NCNN:
            raise ConfigError(f"{engine} does not compute on {device}; give engine ncnn or auto")
        return _vulkan(_number(str(device)))
    resolved = resolve_device(device)
    if device == "auto" and engine == "auto" and resolved.type == "cpu":
        gpu = vulkan.best_gpu()
        return resolved if gpu is None else _vulkan(gpu)
    return resolved


def _vulkan(number: int) -> torch.device:
    reason = vulkan.missing(number)
    if reason is not None:
        raise ConfigError(f"no device {vulkan.VULKAN}:{number}: {reason}; or give device cpu")
    return torch.device(vulkan.VULKAN, number)


def _number(name: str) -> int:
    try:
        return torch.device(name).index or 0
    except RuntimeError as error:
        raise ConfigError(f"{name[:40]!r} is not a device; give for example {vulkan.VULKAN}:0") from error
