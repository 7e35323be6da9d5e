"""Whether a network can run on the kernels, and the guard that checks them once before they are used.

Nothing here imports Triton before it is known that the network, the precision and the device would do.
"""

import math
from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.rrdb import RRDBEngine
from esrgan_torch.errors import ConfigError, EngineError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.rrdb import RRDBNet

if TYPE_CHECKING:
    from esrgan_torch.engines.cuda.engine import KernelEngine

FEATURES = (16, 32, 64)  # powers of two, as Triton's tiles are; sums of more would not fit the registers
GROWTHS = (16, 32)
MOST_OUTPUTS = 16
TRIES = (24, 20)  # height and width of the golden tile: several tiles of pixels, the last one not full
# distance to float32 that is fine: eager's own in this precision, doubled, and what float32 itself is off
ROOM = 2.0
FLOOR = 1e-4


def unsupported(model: Generator, device: torch.device, dtype: torch.dtype) -> str | None:
    """Why this network cannot run on the kernels, for people; None: it can, as far as can be told."""
    if not isinstance(model, RRDBNet):
        return f"a {type(model).__name__} runs in PyTorch"
    if dtype not in (torch.float16, torch.bfloat16):
        return "kernels compute in float16 and bfloat16"
    if device.type != "cuda":
        return f"kernels need a CUDA device, not {device.type}"
    if torch.version.hip is not None:
        return "kernels are for NVIDIA's devices, and this is PyTorch for ROCm"
    sizes = model.config
    if sizes.features not in FEATURES or sizes.growth not in GROWTHS or sizes.out_channels > MOST_OUTPUTS:
        return (
            f"kernels need {_or(FEATURES)} features, growth {_or(GROWTHS)} and at most {MOST_OUTPUTS} output "
            f"channels; this network has {sizes.features}, {sizes.growth} and {sizes.out_channels}"
        )
    if find_spec("triton") is None:
        return "Triton is not installed; on Linux it comes with PyTorch's CUDA build"
    from esrgan_torch.engines.cuda.tuning import CAPABILITIES

    capability = torch.cuda.get_device_capability(device)
    if capability not in CAPABILITIES:
        return f"no launch sizes are known for compute capability {capability[0]}.{capability[1]}"
    return None


def is_verified(device: torch.device) -> bool:
    """Whether the kernels have a recorded run on this kind of CUDA device, and so run there unasked."""
    if torch.version.hip is not None:
        return False
    from esrgan_torch.engines.cuda.tuning import VERIFIED

    return torch.cuda.get_device_capability(device) in VERIFIED


def make_kernel_engine(model: Generator, device: torch.device, dtype: torch.dtype) -> Engine:
    """The engine with kernels, checked on a small picture.

    Raises:
        ConfigError: `unsupported` says why.
        EngineError: the kernels fail to compile, or compute something else than PyTorch.
    """
    reason = unsupported(model, device, dtype)
    if reason is not None:
        raise ConfigError(f"engine triton cannot run this: {reason}; give engine auto or eager")
    assert isinstance(model, RRDBNet)
    from esrgan_torch.engines.cuda.engine import KernelEngine
    from esrgan_torch.engines.cuda.tuning import HALO_CAPABILITIES, table_for

    capability = torch.cuda.get_device_capability(device)
    halo = capability in HALO_CAPABILITIES and (model.config.features, model.config.growth) == (64, 32)
    engine = KernelEngine(model, device, dtype, table_for(capability), halo)
    check_golden_tile(engine, model)
    return engine


def check_golden_tile(engine: "KernelEngine", model: RRDBNet) -> None:
    """Compute a small picture twice, launched and replayed, and compare with PyTorch's.

    Raises:
        EngineError: the kernels do not run, or are further off than PyTorch in this precision; the message
            names the first kernel that is wrong.
    """
    picture = golden_tile(model, engine.device)
    try:
        with torch.inference_mode():
            exact = _run(RRDBEngine(model, engine.device, torch.float32), picture)
            eager = _distance(_run(RRDBEngine(model, engine.device, engine.dtype), picture), exact)
            ours = max(_distance(_run(engine, picture), exact) for _ in range(2))
            if ours <= ROOM * eager + FLOOR:
                return
            culprit = _first_wrong_step(engine, picture) or "no single kernel"
    except Exception as error:  # whatever a compiler or a driver raises
        raise EngineError(f"kernels do not run here: {type(error).__name__}: {error}") from error
    raise EngineError(
        f"kernels are {ours:.1e} from float32, PyTorch in {engine.dtype} is {eager:.1e}; wrong: {culprit}"
    )


def golden_tile(model: RRDBNet, device: torch.device) -> Tensor:
    """(1, C, 24, 20) feature pixels' worth of noise in [0, 1], always the same."""
    height, width = (size * model.unshuffle for size in TRIES)
    seeded = torch.Generator("cpu").manual_seed(0)
    noise = torch.rand(1, model.in_channels, height, width, generator=seeded, dtype=torch.float32)
    return noise.to(device)


def _run(engine: Engine, picture: Tensor) -> Tensor:
    return engine.tail(engine.trunk(picture, _ignore))


def _distance(values: Tensor, exact: Tensor) -> float:
    """Relative, and infinite where a value is not finite."""
    size = torch.dist(exact, torch.zeros_like(exact)).item()
    distance = torch.dist(values, exact).item() / max(size, torch.finfo(torch.float32).tiny)
    return math.inf if math.isnan(distance) else distance


def _first_wrong_step(engine: "KernelEngine", picture: Tensor) -> str | None:
    """The first step that differs from its reference, with its kernel's name."""
    from esrgan_torch.engines.cuda.flat import FlatShape
    from esrgan_torch.engines.cuda.launch import kernel_name
    from esrgan_torch.engines.cuda.steps import written_values

    features = engine.trunk(picture, _ignore)
    shape = FlatShape(1, *features.shape[-2:])
    trunk, tail = engine.trunk_buffers(shape), engine.tail_buffers(shape)
    tail.maps[0].picture()[:] = features.permute(0, 2, 3, 1)
    for step in [*engine.network.trunk(trunk), *engine.network.tail(tail)]:
        before = step.target.values.clone()
        engine.run_steps([step])
        result = written_values(step).float()
        step.target.values.copy_(before)
        step.reference()
        if _distance(result, written_values(step).float()) > ROOM * torch.finfo(engine.dtype).eps:
            return f"{kernel_name(step, engine.table)} in {step.name}"
    return None


def _or(sizes: tuple[int, ...]) -> str:
    return f"{', '.join(map(str, sizes[:-1]))} or {sizes[-1]}"


def _ignore(_: float) -> None:
    """No progress is shown for a check."""
