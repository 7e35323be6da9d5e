"""What every computation of a network needs around it, whatever the program has set.

`float32` means float32: PyTorch lets convolutions on CUDA round their inputs to TF32 (10 bits) unless told
not to, and matrix products where a program asks for it; on CPUs likewise to bfloat16. That is as far from
float32 as float16 is, and the engines' references, first and last layers are float32 for a reason.

Neither does autocast round what an engine computes, nor a default device move what it makes, nor a oneDNN
that is switched off change the order in which it adds.
"""

import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from esrgan_torch.engines.ncnn.vulkan import VULKAN

EXACT = ("ieee", "none")  # "none": nobody asked for less
PRECISION = "fp32_precision"
CPU = torch.device("cpu")
_KINDS = (("cudnn", "conv"), ("cuda", "matmul"), ("mkldnn", "conv"), ("mkldnn", "matmul"))

_thread = threading.local()
_lock = threading.Lock()
_inside = 0
_changed: list[tuple[Any, str, object]] = []


@contextmanager
def computing(device: torch.device) -> Generator[None]:
    """Within it float32 is computed as float32 by the libraries that are there, nothing is cast by itself,
    what names no device is on the CPU, and `device` is the current one of its kind.

    Some settings are the process's, not the thread's: they change with the first thread that enters and are
    as they were when the last one has left. Within itself it does nothing: a picture's parts enter it too.

    Args:
        device: where is computed; a kernel that is launched by its address runs on the current CUDA device,
            wherever its memory is.
    """
    if device.type == VULKAN:
        device = CPU  # what PyTorch does around ncnn
    before = getattr(_thread, "device", None)
    if before == device:
        yield
        return
    _enter()
    _thread.device = device
    try:
        with ExitStack() as thread:
            for kind in {CPU.type, device.type}:
                if torch.is_autocast_enabled(kind):
                    thread.enter_context(torch.autocast(kind, enabled=False))
            if torch.get_default_device() != CPU:
                thread.enter_context(CPU)
            if device.type == "cuda":
                thread.enter_context(torch.cuda.device(device))
            yield
    finally:
        _thread.device = before
        _leave()


def _enter() -> None:
    global _inside
    with _lock:
        _inside += 1
        if _inside > 1:
            return
        for where, name, exact in _switches():
            before = getattr(where, name)
            if before != exact and before not in EXACT:
                _changed.append((where, name, before))
                setattr(where, name, exact)


def _leave() -> None:
    global _inside
    with _lock:
        _inside -= 1
        while not _inside and _changed:
            where, name, before = _changed.pop()
            if name == PRECISION:  # it may have been inherited, and then is so again
                setattr(where, name, "none")
                if getattr(where, name) == before:
                    continue
            setattr(where, name, before)


def _switches() -> list[tuple[Any, str, object]]:
    """Object, attribute and exact value of each setting: named by precision, by a flag until PyTorch 2.8."""
    backends: Any = torch.backends
    switches: list[tuple[Any, str, object]] = [(backends.mkldnn, "enabled", True)]
    if hasattr(backends, PRECISION):
        kinds = [getattr(getattr(backends, part), kind) for part, kind in _KINDS]
        return [*switches, *((kind, PRECISION, "ieee") for kind in kinds)]
    flags = [(backends.cudnn, "allow_tf32", False), (backends.cuda.matmul, "allow_tf32", False)]
    return [*switches, *flags]
