"""The ways to compute a network, from the fastest: where each runs, and where it is known to be fast."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

from esrgan_torch.engines import openvino, packed
from esrgan_torch.engines.cuda.choose import is_verified, unsupported
from esrgan_torch.engines.native.build import reason as native_reason
from esrgan_torch.engines.native.engine import fastest_level, is_faster, is_usable
from esrgan_torch.engines.ncnn.vulkan import VULKAN
from esrgan_torch.networks.base import Generator

EngineName = Literal["auto", "eager", "native", "openvino", "ncnn", "triton"]


@dataclass(frozen=True)
class Kind:
    """A way to compute.

    Args:
        key: by which `Architecture.engines` has it.
        name: by which it is asked for; several kinds may share one.
        title: for people.
        device: the kind of device that it is for; "" for any.
        slower: why "auto" does not take it on a device in a precision, or None. Asked first: it costs little.
        obstacle: why it cannot run a network there, or None. It may compile or import what it needs.
        float32_alone: whether it has no half precision.
    """

    key: str
    name: EngineName
    title: str
    device: str
    slower: Callable[[torch.device, torch.dtype], str | None]
    obstacle: Callable[[Generator, torch.device, torch.dtype], str | None]
    float32_alone: bool = False


def _triton_is_slower(device: torch.device, dtype: torch.dtype) -> str | None:
    # only what is known to run is asked for
    del dtype
    return (
        None
        if is_verified(device)
        else "they have no recorded run on this kind of device, and run when asked for"
    )


def _native_is_slower(device: torch.device, dtype: torch.dtype) -> str | None:
    del device
    if dtype != torch.float32:
        return _not_in(dtype, "float32")
    if is_faster(dtype):
        return None
    level = fastest_level()
    return native_reason() if level is None else f"it was not measured to be faster with {level}"


def _native_obstacle(model: Generator, device: torch.device, dtype: torch.dtype) -> str | None:
    del model
    if device.type != "cpu":
        return _not_on(device)
    if dtype != torch.float32:
        return _not_in(dtype, "float32")
    return None if is_usable() else native_reason()


def _openvino_is_slower(device: torch.device, dtype: torch.dtype) -> str | None:
    del device
    return _openvino_precision(dtype)


def _openvino_obstacle(model: Generator, device: torch.device, dtype: torch.dtype) -> str | None:
    del model
    if device.type != "cpu":
        return _not_on(device)
    reason = _openvino_precision(dtype)
    if reason is None and not openvino.is_usable():  # imports it
        reason = 'it is not installed, or does not start: pip install "esrgan-torch[openvino]"'
    return reason


def _openvino_precision(dtype: torch.dtype) -> str | None:
    if packed.is_available(dtype):
        return None
    return f"it computes {name_of(dtype)} on x86 processors that have it, not on this"


def _ncnn_obstacle(model: Generator, device: torch.device, dtype: torch.dtype) -> str | None:
    del model
    if device.type != VULKAN:
        return f"it computes on Vulkan devices, not on {device}: give device {VULKAN}"
    return None if dtype == torch.float32 else _not_in(dtype, "float32")


def _packed_obstacle(model: Generator, device: torch.device, dtype: torch.dtype) -> str | None:
    del model
    if device.type == "cpu" and packed.is_available(dtype):
        return None
    return f"this processor and this build of PyTorch do not have it in {name_of(dtype)}"


def _never(*_: object) -> None:
    """Nothing stands in the way."""


def _not_on(device: torch.device) -> str:
    return f"it computes on the CPU, not on {device}"


def _not_in(dtype: torch.dtype, other: str) -> str:
    return f"it computes in {other}, not in {name_of(dtype)}"


def name_of(dtype: torch.dtype) -> str:
    """ "float32", "float16" or "bfloat16"."""
    return str(dtype).removeprefix("torch.")


KINDS = (
    Kind("triton", "triton", "the project's CUDA kernels", "cuda", _triton_is_slower, unsupported),
    Kind("native", "native", "the native engine", "cpu", _native_is_slower, _native_obstacle, True),
    Kind("openvino", "openvino", "OpenVINO", "cpu", _openvino_is_slower, _openvino_obstacle),
    Kind("ncnn", "ncnn", "ncnn by Vulkan", VULKAN, _never, _ncnn_obstacle, True),
    Kind("packed", "eager", "PyTorch with weights packed by oneDNN", "cpu", _never, _packed_obstacle),
    Kind("plain", "eager", "PyTorch", "", _never, _never),
)
