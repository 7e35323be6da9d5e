"""Which precision a network runs in, when the user leaves it open."""

import math

import torch
from torch import Tensor

from esrgan_torch.engines.choose import is_float32_as_fast, make_engine
from esrgan_torch.engines.devices import computes_bfloat16_fast
from esrgan_torch.errors import ConfigError
from esrgan_torch.foreign import ForeignNetwork
from esrgan_torch.networks.base import Generator

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
SHORT = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}
FLOOR = 50.0  # dB of the 8-bit picture against float32's: under it differences can be seen in flat areas


def resolve_dtype(dtype: str | torch.dtype, model: Generator, device: torch.device) -> torch.dtype:
    """The precision that a name means for this network on this device.

    "auto" takes the half precision that the device computes faster than float32 (float16 on CUDA from
    Volta on, bfloat16 on a CPU that has it), but only where the network's 8-bit picture of a probe stays
    above `FLOOR`; float32 otherwise. Networks differ: one that exaggerates edges also exaggerates rounding.
    A `ForeignNetwork` stays in float32.

    Raises:
        ConfigError: another name, or a precision that the device cannot compute.
    """
    known = check_dtype(dtype, device)
    if known is not None:
        return known
    fast = None if isinstance(model, ForeignNetwork) else _fast_half(device)
    if fast is None or picture_psnr(model, device, fast) < FLOOR:
        return torch.float32
    return fast


def check_dtype(dtype: str | torch.dtype, device: torch.device) -> torch.dtype | None:
    """The precision that a name means whatever the network; None for "auto". Errors as in `resolve_dtype`."""
    if isinstance(dtype, torch.dtype):
        dtype = str(dtype).removeprefix("torch.")
    dtype = SHORT.get(dtype, dtype)
    if dtype == "auto":
        return None
    if dtype not in DTYPES:
        raise ConfigError(f"dtype is auto, {', '.join(DTYPES)}, not {dtype!r}")
    if dtype == "float16" and device.type == "cpu":
        raise ConfigError("float16 is not for the CPU, which computes it slower than float32; give bfloat16")
    return DTYPES[dtype]


def picture_psnr(model: Generator, device: torch.device, dtype: torch.dtype) -> float:
    """PSNR in dB of the 8-bit probe picture in this precision against float32 on the same device."""
    probe = probe_picture(model.in_channels).to(device)
    pictures: list[Tensor] = []
    with torch.inference_mode():
        for precision in (torch.float32, dtype):
            engine = make_engine(model, device, precision, "eager")
            values = engine.tail(engine.trunk(probe, _ignore))
            pictures.append(values.clamp(0, 1).mul(255).round())
    error = (pictures[0] - pictures[1]).square().mean().item()
    if math.isnan(error):
        return 0.0
    return 10 * math.log10(255**2 / error) if error else math.inf


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


def _fast_half(device: torch.device) -> torch.dtype | None:
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (7, 0):
        return torch.float16
    if device.type == "cpu" and computes_bfloat16_fast(device) and not is_float32_as_fast(device):
        return torch.bfloat16
    return None


def _ignore(_: float) -> None:
    """No progress is shown for a probe."""
