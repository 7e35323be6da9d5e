"""Entries of `torch.hub`: networks and an `Upscaler` from a clone of this project, nothing installed.

    network = torch.hub.load("CLONE", "network", "realesrgan-x4plus", source="local")

What the packages need beside PyTorch is named in `dependencies`, which torch.hub looks for first.
"""

import sys
from pathlib import Path
from typing import Any

import torch

dependencies = [
    "torch",
    "numpy",
    "PIL",
    "safetensors",
    "platformdirs",
    "psutil",
    "tqdm",
    "imagecodecs",
    "tifffile",
]

_CLONE = Path(__file__).resolve().parent


def network(name: str = "realesrgan-x4plus", **options: Any) -> torch.nn.Module:
    """A network with its weights, in evaluation mode and float32 on the CPU: (N, 3, H, W) in [0, 1], RGB, to
    (N, 3, H * scale, W * scale), not clamped.

    Args:
        name: of a published model (`esrgan weights list`), or the path or address of a checkpoint.
        options: of `esrgan_weights.load`: offline, cache, progress, trainable.
    """
    _reach_packages()
    from esrgan_weights import load

    return load(name, **options)


def upscaler(name: str = "realesrgan-x4plus", **options: Any) -> Any:
    """An `esrgan_torch.Upscaler`: pictures of any size, in exact tiles.

    Args:
        name: as of `network`.
        options: of `Upscaler`: device, dtype, tiling, alpha, scale, engine, tta.
    """
    _reach_packages()
    from esrgan_torch import Upscaler

    return Upscaler(name, **options)


def _reach_packages() -> None:
    """Let Python find this clone's packages for good: torch.hub takes its folder back after the call.

    A program that has imported esrgan_torch already has its own, and keeps it.
    """
    if "esrgan_torch" not in sys.modules:
        sys.path[:0] = [str(_CLONE), str(_CLONE / "weights")]
