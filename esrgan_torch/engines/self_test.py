"""A first picture by an engine, beside PyTorch's on the CPU: for devices that nobody has tried."""

import copy

import torch

from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.computing import CPU, computing
from esrgan_torch.engines.precision import probe_picture
from esrgan_torch.errors import EngineError
from esrgan_torch.networks.base import Generator

# of the picture, times the unshuffle, or 3: odd sizes show faults that even ones hide
SIZE = 9, 7
# of its values: a quarter of an 8-bit level, 2e-5 was measured; in half precision a wrong layer is found yet
LARGEST = {torch.float32: 1e-3, torch.float16: 0.1, torch.bfloat16: 0.25}


def is_untried(device: torch.device) -> bool:
    """Whether the project has no recorded run on that kind of device: all but CPUs and NVIDIA's GPUs."""
    return device.type != "cpu" and (device.type != "cuda" or torch.version.hip is not None)


def tested(engine: Engine, model: Generator, name: str) -> Engine:
    """The engine, if a picture comes out as PyTorch computes it on the CPU.

    Args:
        engine: of that network.
        model: it is not changed.
        name: of the device, for the message.

    Raises:
        EngineError: the device fails, or computes something else.
    """
    fold = model.unshuffle if model.unshuffle > 1 else 3
    height, width = (side * fold for side in SIZE)
    picture = probe_picture(model.in_channels)[:, :, :height, :width].contiguous()
    with torch.inference_mode(), computing(CPU):
        expected = copy.deepcopy(model).to(CPU, torch.float32)(picture)
    try:
        with torch.inference_mode():
            features = engine.trunk(picture.to(engine.device), _ignore)
            found = engine.tail(features).to(CPU, torch.float32)
    except (RuntimeError, NotImplementedError) as error:
        raise EngineError(f"{name} fails on a test picture: {error}") from error
    largest = float((found - expected).abs().max())
    if not largest <= LARGEST[engine.dtype] * max(1.0, float(expected.abs().max())):  # NaN too
        raise EngineError(
            f"{name} gives another result than the CPU (by up to {largest:.2g} of 1); update its driver, "
            "or give another device"
        )
    return engine


def _ignore(_: float) -> None:
    """No progress is wanted."""
