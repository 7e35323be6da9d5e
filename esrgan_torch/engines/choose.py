"""Which engine runs a network: the one place where that is decided."""

import logging
from typing import Literal, get_args

import torch

from esrgan_torch.engines import openvino as engine_openvino
from esrgan_torch.engines import packed as engine_packed
from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.compact import CompactEngine
from esrgan_torch.engines.computing import computing
from esrgan_torch.engines.devices import has_amx
from esrgan_torch.engines.foreign import ForeignEngine
from esrgan_torch.engines.graphed import GraphedEngine
from esrgan_torch.engines.rrdb import RRDBEngine
from esrgan_torch.errors import ConfigError, EngineError
from esrgan_torch.foreign import ForeignNetwork
from esrgan_torch.kernels.choose import is_verified, make_kernel_engine, unsupported
from esrgan_torch.native.build import reason as native_reason
from esrgan_torch.native.engine import NativeCompactEngine, NativeRRDBEngine, is_faster, is_usable
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RRDBNet

log = logging.getLogger("esrgan_torch")

EngineName = Literal["auto", "eager", "native", "openvino", "triton"]
LARGEST_KEPT = 32 * 2**20 - 2**16  # bytes of a block, with what malloc adds to it


def make_engine(
    model: Generator, device: torch.device, dtype: torch.dtype, engine: EngineName = "auto"
) -> Engine:
    """The engine for this network.

    Args:
        model, device, dtype: what runs where in which precision.
        engine: "auto": the fastest that was measured for device and precision, docs/cpu.md, docs/kernels.md;
            "eager": PyTorch's operators alone; "native", "openvino", "triton": that one.

    Raises:
        ConfigError: a network that is neither an RRDBNet nor a CompactNet, or an engine that cannot run it.
        EngineError: the engine that was asked for by name does not run here, or computes wrongly.
    """
    with computing(device):
        return _make(model, device, dtype, engine)


def _make(model: Generator, device: torch.device, dtype: torch.dtype, engine: EngineName) -> Engine:
    if engine not in get_args(EngineName):
        raise ConfigError(f"engine is {', '.join(get_args(EngineName))}, not {engine!r}")
    if isinstance(model, ForeignNetwork):
        if engine not in ("auto", "eager"):
            raise ConfigError(f"engine {engine} cannot run {model.architecture}; give engine auto or eager")
        return ForeignEngine(model, device, dtype)
    if not isinstance(model, RRDBNet | CompactNet):
        raise ConfigError(f"an Upscaler runs an RRDBNet or a CompactNet, not a {type(model).__name__}")
    if engine == "triton":
        return make_kernel_engine(model, device, dtype)
    if engine == "native":
        _check_native(device, dtype)
    if engine == "openvino":
        _check_openvino(device, dtype)
    if device.type == "cpu":
        return _cpu_engine(model, device, dtype, engine)
    if isinstance(model, CompactNet):
        plain = CompactEngine(model, device, dtype)
    else:
        plain = RRDBEngine(model, device, dtype)
    if device.type != "cuda":
        return plain
    if engine == "auto" and is_verified(device) and unsupported(model, device, dtype) is None:
        try:
            return make_kernel_engine(model, device, dtype)
        except EngineError as error:
            log.warning("%s: PyTorch computes instead", error)
    return GraphedEngine(plain)


def is_float32_as_fast(device: torch.device) -> bool:
    """Whether the CPU computes float32 as fast as bfloat16: by the native engine, where it has no AMX.

    Without AMX it took 0.25 to 0.65 of bfloat16's time, with AMX 1.3 to 3 times it: docs/cpu.md.
    """
    return device.type == "cpu" and not has_amx() and is_faster(torch.float32)


def _cpu_engine(
    model: RRDBNet | CompactNet, device: torch.device, dtype: torch.dtype, engine: EngineName
) -> Engine:
    keep_freed_memory()
    # it is compiled where it is asked for the first time
    if engine == "native" or (engine == "auto" and is_faster(dtype)):
        if isinstance(model, CompactNet):
            return NativeCompactEngine(model, device, dtype)
        return NativeRRDBEngine(model, device, dtype)
    packed = engine_packed.is_available(dtype)
    wanted = isinstance(model, CompactNet) or engine_openvino.is_faster_for_rrdb(dtype)
    # is_usable imports it
    openvino = engine == "openvino" or (
        engine == "auto" and packed and wanted and engine_openvino.is_usable()
    )
    if isinstance(model, CompactNet):
        return (engine_openvino.OpenVinoCompactEngine if openvino else CompactEngine)(model, device, dtype)
    if openvino:
        return engine_openvino.OpenVinoRRDBEngine(model, device, dtype)
    return (engine_packed.PackedEngine if packed else RRDBEngine)(model, device, dtype)


def _check_native(device: torch.device, dtype: torch.dtype) -> None:
    reason: str | None = None
    if device.type != "cpu":
        reason = f"it computes on the CPU, not on {device}"
    elif dtype != torch.float32:
        reason = f"it computes in float32, not in {str(dtype).removeprefix('torch.')}"
    elif not is_usable():
        reason = native_reason()
    if reason is not None:
        raise ConfigError(f"engine native cannot run this: {reason}; or give engine auto or eager")


def _check_openvino(device: torch.device, dtype: torch.dtype) -> None:
    reason: str | None = None
    if device.type != "cpu":
        reason = f"it computes on the CPU, not on {device}"
    elif not engine_packed.is_available(dtype):
        reason = (
            f"it computes {str(dtype).removeprefix('torch.')} on x86 processors that have it, not on this"
        )
    elif not engine_openvino.is_usable():
        reason = 'it is not installed, or does not start: pip install "esrgan-torch[openvino]"'
    if reason is not None:
        raise ConfigError(f"engine openvino cannot run this: {reason}; or give engine auto or eager")


def keep_freed_memory() -> None:
    """Make the C library keep blocks of up to 32 MiB that are freed, instead of returning them to the system.

    Else every picture pays anew for the pages of its maps: 9,000 page faults, and 4 % of the time, for one
    of 64x64 pixels. glibc raises its threshold to the largest block that it has seen freed, up to this size;
    a block that nobody touches will do, and takes no memory.
    """
    torch.empty(LARGEST_KEPT, dtype=torch.uint8, device="cpu")
