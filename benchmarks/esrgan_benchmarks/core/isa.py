"""Runtimes held to fewer instructions than the processor has: what they take on lesser processors.

`esrgan bench --isa avx2`. Each reads its own variable when it starts; those that read none cannot be held.
"""

import os

VARIABLES = {
    "avx2": {
        "ONEDNN_MAX_CPU_ISA": "AVX2",  # PyTorch's convolutions, TensorFlow's, OpenVINO's
        "ATEN_CPU_CAPABILITY": "avx2",  # what else PyTorch computes
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    }
}
BEYOND = {"avx2": ("avx512", "amx")}
"""Instructions beyond a level, as runtimes name kernels that use them."""


def hold(isa: str | None) -> None:
    """From now on libraries that are imported here use no more than these; None: whatever they like."""
    if isa is not None:
        os.environ |= VARIABLES[isa]
