"""bfloat16 in Triton's interpreter, which rounds it by cutting bits off and multiplies its bit patterns.

Seen in 3.6, 3.7 and 3.9. With this the kernels run there as they are and round as a device does. It replaces
methods of the interpreter's builder, so it must be called before the first kernel runs, in a process that
does nothing else.
"""

import numpy as np
import triton.language as tl
from triton.runtime import interpreter
from triton.runtime.interpreter import InterpreterBuilder, TensorHandle


def repair_bfloat16() -> None:
    """Make conversions from and to bfloat16 round to the nearest, and products use values."""
    cast, convert, dot = (
        InterpreterBuilder.cast_impl,
        InterpreterBuilder.create_fp_to_fp,
        InterpreterBuilder.create_dot,
    )

    def between(source, wanted):
        have, want = source.dtype.scalar, wanted.scalar
        if have == tl.float32 and want == tl.bfloat16:
            return TensorHandle(_round(source.data), want)
        if have == tl.bfloat16 and want == tl.float32:
            return TensorHandle(_widen(source.data), want)
        return None

    # a handle with a zero in it is false, so `or` would not do

    def cast_impl(self, source, wanted):
        ours = between(source, wanted)
        return cast(self, source, wanted) if ours is None else ours

    def create_fp_to_fp(self, source, wanted, rounding):
        ours = between(source, wanted)
        return convert(self, source, wanted, rounding) if ours is None else ours

    def create_dot(self, left, right, *rest):
        return dot(self, _as_float32(left), _as_float32(right), *rest)

    interpreter.InterpreterBuilder.cast_impl = cast_impl
    interpreter.InterpreterBuilder.create_fp_to_fp = create_fp_to_fp
    interpreter.InterpreterBuilder.create_dot = create_dot
    # these were made from the old cast_impl when the class was built
    for name in ("si_to_fp", "ui_to_fp", "fp_to_si", "fp_to_ui", "fp_ext", "fp_trunc"):
        setattr(InterpreterBuilder, f"create_{name}", cast_impl)


def _as_float32(handle: TensorHandle) -> TensorHandle:
    if handle.dtype.scalar != tl.bfloat16:
        return handle
    return TensorHandle(_widen(handle.data), tl.float32)


def _widen(bits: np.ndarray) -> np.ndarray:
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _round(values: np.ndarray) -> np.ndarray:
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).reshape(values.shape)
    nearest = ((bits + ((bits >> 16) & 1) + 0x7FFF) >> 16).astype(np.uint16)
    return np.where(np.isnan(values), np.uint16(0x7FC0), nearest)
