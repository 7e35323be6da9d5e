"""Which engine runs a network, in which precision, and why: the one place where that is decided."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import torch
from torch import Tensor

from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.computing import computing
from esrgan_torch.engines.devices import computes_bfloat16_fast, device_name, has_amx
from esrgan_torch.engines.foreign import ForeignEngine
from esrgan_torch.engines.graphed import GraphedEngine
from esrgan_torch.engines.kinds import KINDS, EngineName, Kind, name_of
from esrgan_torch.engines.native.engine import is_faster
from esrgan_torch.engines.ncnn.vulkan import VULKAN
from esrgan_torch.engines.precision import FLOOR, check_dtype, probe_picture
from esrgan_torch.engines.self_test import is_untried, tested
from esrgan_torch.errors import ConfigError, EngineError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.foreign import ForeignNetwork
from esrgan_torch.networks.registry import ARCHITECTURES, Architecture, architecture_of, joined, names
from esrgan_torch.networks.reparameterised import TrainingForm
from esrgan_torch.quantise import batch_psnr

log = logging.getLogger("esrgan_torch")

LARGEST_KEPT = 32 * 2**20 - 2**16  # bytes of a block, with what malloc adds to it


@dataclass(frozen=True)
class Precision:
    """A precision, and why it is that one, as the end of a sentence."""

    dtype: torch.dtype
    why: str


@dataclass(frozen=True)
class Choice:
    """What runs a network.

    Args:
        key: of `Architecture.engines`; "foreign" for networks of other projects.
        engine: the name by which it can be asked for: "native", "openvino", "ncnn", "triton", "eager".
        title: for people.
        why: why this one, as the end of a sentence.
        passed: what would have gone before it, and why it is not taken: (title, reason).
    """

    key: str
    engine: EngineName
    title: str
    why: str
    passed: Sequence[tuple[str, str]] = ()

    def describe(self) -> str:
        """A sentence without its full stop: "the native engine, the fastest engine for RRDBNet by measurement"."""
        passed = "".join(f"; not {title}: {reason}" for title, reason in self.passed)
        return f"{self.title}, {self.why}{passed}"


def make_engine(
    model: Generator, device: torch.device, dtype: torch.dtype, engine: EngineName = "auto"
) -> Engine:
    """The engine for this network; its `choice` says which it is, and why.

    Args:
        model, device, dtype: what runs where in which precision.
        engine: "auto": the fastest that was measured for device and precision, docs/cpu.md, docs/kernels.md;
            "eager": PyTorch's operators alone; "native", "openvino", "ncnn", "triton": that one.

    Raises:
        ConfigError: a network that is none of this project's, or an engine that cannot run it.
        EngineError: the engine that was asked for by name does not run here, or computes wrongly; or so does
            a device of a kind without a recorded run, see `esrgan_torch.engines.self_test`.
    """
    with computing(device):
        choice = choose_engine(model, device, dtype, engine)
        if device.type == "cpu":
            keep_freed_memory()
        try:
            made = _made(choice, model, device, dtype)
        except EngineError as error:
            if engine != "auto" or device.type == VULKAN:  # nothing else computes there
                raise
            log.warning("%s: PyTorch computes instead", error)
            choice = replace(choose_engine(model, device, dtype, "eager"), why=f"because {error}")
            made = _made(choice, model, device, dtype)
        if is_untried(device):
            tested(made, model, device_name(device))
        made.choice = choice
        return made


def choose_engine(
    model: Generator, device: torch.device, dtype: torch.dtype, engine: EngineName = "auto"
) -> Choice:
    """What `make_engine` would take, and why; of the network only its sizes are asked.

    Raises:
        ConfigError: as `make_engine`.
    """
    _check_name(engine)
    if isinstance(model, ForeignNetwork):
        if device.type == VULKAN:
            raise ConfigError(f"ncnn cannot run {model.architecture}; give device cpu")
        if engine not in ("auto", "eager"):
            raise ConfigError(f"engine {engine} cannot run {model.architecture}; give engine auto or eager")
        return Choice("foreign", "eager", "PyTorch", f"by {model.runner}'s class of {model.architecture}")
    architecture = architecture_of(model)
    if architecture is None:
        hint = "; give what its fused() returns" if isinstance(model, TrainingForm) else ""
        raise ConfigError(f"an Upscaler runs {names()}, not {type(model).__name__}{hint}")
    if engine not in ("auto", "eager"):
        return _asked(architecture, model, device, dtype, engine)
    passed: list[tuple[str, str]] = []
    for kind in KINDS:
        if kind.key not in architecture.engines or kind.device not in ("", device.type):
            continue
        if device.type == VULKAN and kind.device != VULKAN:
            continue
        if engine == "eager" and kind.name != "eager":
            continue
        reason = _reason_against(kind, architecture, model, device, dtype)
        if reason is None:
            if engine == "eager":
                return Choice(kind.key, kind.name, kind.title, "as requested")
            everywhere = kind.device == ""
            usable = " usable" if passed else ""
            fastest = f"the fastest{usable} engine for {architecture.name} by measurement"
            why = "which runs everywhere" if everywhere else fastest
            if device.type == VULKAN:
                why = "the only engine for this device"
            return Choice(kind.key, kind.name, kind.title, why, tuple(passed))
        passed.append((kind.title, reason))
    if device.type == VULKAN:
        title, reason = passed[0]
        raise ConfigError(f"{title} cannot run this: {reason}")
    raise AssertionError(f"{architecture.name} has no plain engine")


def _asked(
    architecture: Architecture,
    model: Generator,
    device: torch.device,
    dtype: torch.dtype,
    engine: EngineName,
) -> Choice:
    """What runs where a kind is asked for by its own name."""
    kind = _kind(engine)
    if kind.key in architecture.engines:
        reason = kind.obstacle(model, device, dtype)
    else:  # told first: no other device or precision would help
        able = joined([known.name for known in ARCHITECTURES if kind.key in known.engines], " and ")
        reason = f"it computes {able}, not {architecture.name}"
    if reason is not None:
        raise ConfigError(f"engine {engine} cannot run this: {reason}; or give engine auto or eager")
    return Choice(kind.key, kind.name, kind.title, "as requested")


def _check_name(engine: str) -> None:
    if engine not in get_args(EngineName):
        raise ConfigError(f"engine is {', '.join(get_args(EngineName))}, not {engine!r}")


def _kind(engine: EngineName) -> Kind:
    return next(kind for kind in KINDS if kind.name == engine)


def _reason_against(
    kind: Kind, architecture: Architecture, model: Generator, device: torch.device, dtype: torch.dtype
) -> str | None:
    """Why a kind is not taken; what would be slower is not even imported."""
    slower = architecture.slower.get(kind.key)
    return (
        kind.slower(device, dtype)
        or (slower(dtype) if slower else None)
        or kind.obstacle(model, device, dtype)
    )


def _made(choice: Choice, model: Generator, device: torch.device, dtype: torch.dtype) -> Engine:
    architecture = architecture_of(model)
    if architecture is None:
        assert isinstance(model, ForeignNetwork)
        return ForeignEngine(model, device, dtype)
    made = architecture.engines[choice.key](model, device, dtype)
    return GraphedEngine(made) if choice.engine == "eager" and device.type == "cuda" else made


def resolve_dtype(dtype: str | torch.dtype, model: Generator, device: torch.device) -> torch.dtype:
    """The precision that a name means for this network on this device; see `resolve_precision`."""
    return resolve_precision(dtype, model, device).dtype


def resolve_precision(
    dtype: str | torch.dtype, model: Generator, device: torch.device, engine: EngineName = "auto"
) -> Precision:
    """The precision that a name means for this network on this device, and why.

    "auto" takes the half precision that the device computes faster than float32 (float16 on CUDA from
    Volta on, bfloat16 on a CPU that has it), but only where the network's 8-bit picture of a probe stays
    above `FLOOR`; float32 otherwise. Networks differ: one that exaggerates edges also exaggerates rounding.
    A `ForeignNetwork` stays in float32, and so does what an engine runs that has no other precision.

    Raises:
        ConfigError: another name, or a precision that the device cannot compute.
    """
    known = check_dtype(dtype, device)
    if known is not None:
        return Precision(known, "as requested")
    if isinstance(model, ForeignNetwork):
        return Precision(torch.float32, "as for all networks of other projects")
    _check_name(engine)
    asked = "ncnn" if device.type == VULKAN else engine
    if asked not in ("auto", "eager") and _kind(asked).float32_alone:
        return Precision(torch.float32, f"the only precision of {_kind(asked).title}")
    fast = fast_half(model, device, engine)
    if fast is None:
        if device.type == "cpu" and computes_bfloat16_fast(device):
            return Precision(
                torch.float32, "in which the native engine is at least about as fast here as in bfloat16"
            )
        return Precision(torch.float32, "half precision is not faster here")
    psnr = picture_psnr(model, device, fast)
    near = f"a probe's 8-bit picture in {name_of(fast)} is {psnr:.1f} dB from float32's"
    if psnr < FLOOR:
        return Precision(torch.float32, f"{near}, under {FLOOR:g} dB")
    return Precision(fast, f"faster here, and {near}")


def is_float32_as_fast(device: torch.device) -> bool:
    """Whether the CPU computes float32 as fast as bfloat16: by the native engine, where it has no AMX.

    Without AMX it took 0.25 to 0.65 of bfloat16's time, with AMX 0.8 to 1.8 times it: docs/cpu.md.
    """
    return device.type == "cpu" and not has_amx() and is_faster(torch.float32)


def picture_psnr(model: Generator, device: torch.device, dtype: torch.dtype) -> float:
    """PSNR in dB of the 8-bit probe picture in this precision against float32 on the same device."""
    probe = probe_picture(model.in_channels).to(device)
    results: list[Tensor] = []
    with torch.inference_mode():
        for precision in (torch.float32, dtype):
            engine = make_engine(model, device, precision, "eager")
            results.append(engine.tail(engine.trunk(probe, _ignore)))
    return batch_psnr(*results)


def fast_half(model: Generator, device: torch.device, engine: EngineName = "auto") -> torch.dtype | None:
    """The half precision that "auto" tries for this network, since the device computes it faster; or None."""
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (7, 0):
        return torch.float16
    if device.type != "cpu" or not computes_bfloat16_fast(device):
        return None
    if engine != "auto":  # what the native engine computes in float32 is no match then
        return torch.bfloat16
    if is_float32_as_fast(device):
        return None
    # with AMX too the native engine takes 1.05 to 1.1 times what plain operators in bfloat16 take for SPAN
    half, single = (choose_engine(model, device, dtype).key for dtype in (torch.bfloat16, torch.float32))
    return None if (half, single) == ("plain", "native") else torch.bfloat16


def keep_freed_memory() -> None:
    """Make the C library keep blocks of up to 32 MiB that are freed, instead of returning them to the system.

    Else every picture pays anew for the pages of its maps: 9,000 page faults, and 4 % of the time, for one
    of 64x64 pixels. glibc raises its threshold to the largest block that it has seen freed, up to this size;
    a block that nobody touches will do, and takes no memory.
    """
    torch.empty(LARGEST_KEPT, dtype=torch.uint8, device="cpu")


def _ignore(_: float) -> None:
    """No progress is shown for a probe."""
