"""Published weights: found by name, fetched, verified, read in every layout and written in any.

    from esrgan_weights import load
    model = load("realesrgan-x4plus")

Nothing heavy is imported until it is used: the registry and the cache need no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from esrgan_weights.cache import cache_folder
    from esrgan_weights.canonical import canonical_hash
    from esrgan_weights.checkpoint import Checkpoint
    from esrgan_weights.errors import (
        CheckpointError,
        ChecksumError,
        FetchError,
        OfflineError,
        UnknownArchitectureError,
        UnknownModelError,
        UnsafeCheckpointError,
        WeightsError,
    )
    from esrgan_weights.formats.read import read_checkpoint
    from esrgan_weights.formats.write import save
    from esrgan_weights.identify import Inspection, inspect
    from esrgan_weights.interpolation import interpolate
    from esrgan_weights.loading import load
    from esrgan_weights.recognition.layouts import WRITABLE
    from esrgan_weights.registry import Model, find, models
    from esrgan_weights.sources.fetching import fetch

# the modules are named otherwise than what they export: importing a module binds its name here
_HOME = {
    "cache": ("cache_folder",),
    "canonical": ("canonical_hash",),
    "checkpoint": ("Checkpoint",),
    "errors": (
        "CheckpointError",
        "ChecksumError",
        "FetchError",
        "OfflineError",
        "UnknownArchitectureError",
        "UnknownModelError",
        "UnsafeCheckpointError",
        "WeightsError",
    ),
    "sources.fetching": ("fetch",),
    "identify": ("Inspection", "inspect"),
    "interpolation": ("interpolate",),
    "recognition.layouts": ("WRITABLE",),
    "loading": ("load",),
    "formats.read": ("read_checkpoint",),
    "registry": ("Model", "find", "models"),
    "formats.write": ("save",),
}

__all__ = [
    "WRITABLE",
    "Checkpoint",
    "CheckpointError",
    "ChecksumError",
    "FetchError",
    "Inspection",
    "Model",
    "OfflineError",
    "UnknownArchitectureError",
    "UnknownModelError",
    "UnsafeCheckpointError",
    "WeightsError",
    "cache_folder",
    "canonical_hash",
    "fetch",
    "find",
    "inspect",
    "interpolate",
    "load",
    "models",
    "read_checkpoint",
    "save",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        return getattr(import_module("esrgan_torch"), name)
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"esrgan_weights.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *globals()})
