"""The numbers of tensors as float32, by NumPy alone.

A network has hundreds of small tensors. torch deals every operation on one out to threads, which on a busy
machine wait for each other longer than they work, and how many it takes is a setting of the whole process.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from esrgan_weights.errors import CheckpointError

WIDE = (torch.float32, torch.float16, torch.float64)
FLOAT8 = (torch.float8_e4m3fn, torch.float8_e4m3fnuz, torch.float8_e5m2, torch.float8_e5m2fnuz)
FLOATS = (*WIDE, torch.bfloat16, *FLOAT8)


def as_float32(tensor: Tensor, name: str) -> Tensor:
    """A contiguous float32 copy of a tensor, in memory of its own.

    Raises:
        CheckpointError: it holds something else than floating-point numbers, or NaN or infinity.
    """
    if tensor.dtype not in FLOATS:
        kind = str(tensor.dtype).removeprefix("torch.")
        raise CheckpointError(f"{name} holds {kind} numbers; a network needs floating-point ones")
    if tensor.layout != torch.strided or tensor.device.type == "meta":
        raise CheckpointError(f"{name} is a sparse or an empty tensor; a network needs all its numbers")
    array = _array(tensor.detach().cpu().resolve_neg())
    if not np.isfinite(array).all():
        raise CheckpointError(f"{name} holds NaN or infinity: the file is damaged, or its training failed")
    return torch.from_numpy(array)


def _array(tensor: Tensor) -> npt.NDArray[np.float32]:
    if tensor.dtype in WIDE:
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused as that
            return tensor.numpy().astype(np.float32, order="C")
    if tensor.dtype == torch.bfloat16:  # the upper half of a float32
        bits = tensor.contiguous().view(torch.int16).numpy().view(np.uint16)
        return np.asarray(np.left_shift(bits, 16, dtype=np.uint32)).view(np.float32)
    every = torch.arange(256, dtype=torch.uint8).view(tensor.dtype).to(torch.float32)
    return np.asarray(to_numpy(every)[to_numpy(tensor.contiguous().view(torch.uint8))])


def rounded(tensor: Tensor, precision: str) -> Tensor:
    """A float32 tensor on the CPU, its numbers rounded to what a precision holds, still as float32.

    Args:
        tensor: the tensor.
        precision: "float32", "float16" (beyond 65504 it holds infinity) or "bfloat16".
    """
    if precision == "float32":
        return tensor
    array = to_numpy(tensor)
    if precision == "float16":
        with np.errstate(over="ignore"):
            return torch.from_numpy(array.astype(np.float16).astype(np.float32))
    bits = np.ascontiguousarray(array).view(np.uint32)
    # to the nearest, and to the even one of two: what is cut off, with the last bit kept, decides
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return torch.from_numpy(bits.view(np.float32))


def stored_as(tensor: Tensor, dtype: str) -> Tensor:
    """A float32 tensor, rounded to that type already, in that type: "float32", "float16" or "bfloat16"."""
    if dtype == "float32":
        return tensor
    if dtype == "float16":
        return torch.from_numpy(to_numpy(tensor).astype(np.float16))
    bits = np.ascontiguousarray(to_numpy(tensor)).view(np.uint32) >> 16
    return torch.from_numpy(bits.astype(np.uint16).view(np.int16)).view(torch.bfloat16)


def is_finite(tensor: Tensor) -> bool:
    """Whether a tensor on the CPU, of a type that NumPy has, holds neither NaN nor infinity."""
    return bool(np.isfinite(to_numpy(tensor)).all())


def copy_of(tensor: Tensor) -> Tensor:
    """A copy of a tensor on the CPU, of a type that NumPy has."""
    return torch.from_numpy(tensor.detach().numpy().copy())


def equal(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors on the CPU, of types that NumPy has, hold the same shape and numbers."""
    return np.array_equal(to_numpy(one), to_numpy(other))


def to_numpy(tensor: Tensor) -> Any:
    """A tensor on the CPU, of a type that NumPy has, as an array on the same memory."""
    plain: Any = tensor.detach()  # torch types its arrays only in part
    return plain.numpy()
