"""The precisions by name, and the picture by which `esrgan_torch.engines.choose` tries them."""

import torch
from torch import Tensor

from esrgan_torch.errors import ConfigError

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
SHORT = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}
FLOOR = 50.0  # dB of the 8-bit picture against float32's: under it differences can be seen in flat areas


def check_dtype(dtype: str | torch.dtype, device: torch.device) -> torch.dtype | None:
    """The precision that a name means whatever the network; None for "auto".

    Raises:
        ConfigError: another name, or a precision that the device cannot compute.
    """
    if isinstance(dtype, torch.dtype):
        dtype = str(dtype).removeprefix("torch.")
    dtype = SHORT.get(dtype, dtype)
    if dtype == "auto":
        return None
    if dtype not in DTYPES:
        raise ConfigError(f"dtype must be auto, {', '.join(DTYPES)}, not {dtype!r}")
    if dtype == "float16" and device.type == "cpu":
        raise ConfigError(
            "float16 is not supported on the CPU, where it is slower than float32; give bfloat16"
        )
    return DTYPES[dtype]


def probe_picture(channels: int) -> Tensor:
    """(1, channels, 48, 48) in [0, 1]: a ramp with edges in every direction, and a little noise."""
    # every type and device is named: a program may have set others for what names none
    steps = torch.linspace(-1, 1, 48, dtype=torch.float32, device="cpu")
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    seeded = torch.Generator("cpu").manual_seed(0)
    noise = torch.randn(1, channels, 48, 48, generator=seeded, dtype=torch.float32, device="cpu")
    rings = torch.sin(12 * (x * x + y * y)) * 0.25
    edges = (torch.sin(9 * x + 4 * y) > 0).to(torch.float32) * 0.3 - 0.15
    return ((x + 2) / 4 + rings + edges + 0.03 * noise).clamp(0, 1)
