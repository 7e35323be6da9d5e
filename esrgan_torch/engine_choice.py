"""Which engine runs a network: the one place where that is decided."""

import torch

from esrgan_torch import engine_openvino, engine_packed
from esrgan_torch.compact import CompactNet
from esrgan_torch.engine import CompactEngine, Engine, RRDBEngine
from esrgan_torch.engine_foreign import ForeignEngine
from esrgan_torch.errors import ConfigError
from esrgan_torch.foreign import ForeignNetwork
from esrgan_torch.generator import RRDBNet
from esrgan_torch.network import Generator

LARGEST_KEPT = 32 * 2**20 - 2**16  # bytes of a block, with what malloc adds to it


def make_engine(model: Generator, device: torch.device, dtype: torch.dtype, *, eager: bool = False) -> Engine:
    """The engine for this network: the fastest that was measured for device and precision, docs/cpu.md.

    Args:
        model, device, dtype: what runs where in which precision.
        eager: by PyTorch alone.

    Raises:
        ConfigError: a network that is neither an RRDBNet nor a CompactNet.
    """
    if isinstance(model, ForeignNetwork):
        return ForeignEngine(model, device, dtype)
    if not isinstance(model, RRDBNet | CompactNet):
        raise ConfigError(f"an Upscaler runs an RRDBNet or a CompactNet, not a {type(model).__name__}")
    packed = device.type == "cpu" and engine_packed.is_available(dtype)
    wanted = isinstance(model, CompactNet) or engine_openvino.is_faster_for_rrdb(dtype)
    openvino = packed and wanted and not eager and engine_openvino.is_usable()  # which imports it
    if device.type == "cpu":
        keep_freed_memory()
    if isinstance(model, CompactNet):
        return (engine_openvino.OpenVinoCompactEngine if openvino else CompactEngine)(model, device, dtype)
    if openvino:
        return engine_openvino.OpenVinoRRDBEngine(model, device, dtype)
    return (engine_packed.PackedEngine if packed else RRDBEngine)(model, device, dtype)


def keep_freed_memory() -> None:
    """Make the C library keep blocks of up to 32 MiB that are freed, instead of returning them to the system.

    Else every picture pays anew for the pages of its maps: 9,000 page faults, and 4 % of the time, for one
    of 64x64 pixels. glibc raises its threshold to the largest block that it has seen freed, up to this size;
    a block that nobody touches will do, and takes no memory.
    """
    torch.empty(LARGEST_KEPT, dtype=torch.uint8)
