"""What every computation of a network needs around it, whatever the program has set.

`float32` means float32: PyTorch lets convolutions on CUDA round their inputs to TF32 (10 bits) unless told
not to, and matrix products where a program asks for it; on CPUs likewise to bfloat16. That is as far from
float32 as float16 is, and the engines' references, first and last layers are float32 for a reason.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch

EXACT = ("ieee", "none")  # "none": nobody asked for less
_KINDS = (("cudnn", "conv"), ("cuda", "matmul"), ("mkldnn", "conv"), ("mkldnn", "matmul"))

_lock = threading.Lock()
_inside = 0
_changed: list[tuple[Any, str, object]] = []


@contextmanager
def computing(device: torch.device) -> Generator[None]:
    """Within it float32 is computed as float32, and `device` is the current one of its kind.

    The settings are the process's, not the thread's: they change with the first thread that enters and are
    as they were when the last one has left.

    Args:
        device: where is computed; a kernel that is launched by its address runs on the current CUDA device,
            wherever its memory is.
    """
    _enter()
    try:
        if device.type == "cuda":
            with torch.cuda.device(device):
                yield
        else:
            yield
    finally:
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
            setattr(where, name, before)


def _switches() -> list[tuple[Any, str, object]]:
    """Object, attribute and exact value of each setting: named by precision, by a flag until PyTorch 2.8."""
    backends: Any = torch.backends
    if hasattr(backends, "fp32_precision"):
        return [(getattr(getattr(backends, part), kind), "fp32_precision", "ieee") for part, kind in _KINDS]
    return [(backends.cudnn, "allow_tf32", False), (backends.cuda.matmul, "allow_tf32", False)]
