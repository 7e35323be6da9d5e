"""ESRGAN in PyTorch: networks, pictures, exact tiling.

    from esrgan_torch import Upscaler

    upscaler = Upscaler("realesrgan-x4plus")
    upscaler("in.png", "out.png")

Names are imported when they are first used, so that the command line answers without waiting for PyTorch.
"""

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from esrgan_torch.errors import (
        CancelledError,
        ConfigError,
        EngineError,
        EsrganError,
        FilmError,
        FilmReadError,
        FilmWriteError,
        ForkedError,
        ImageError,
        ImageReadError,
        ImageTooLargeError,
        ImageWriteError,
        MissingCodecError,
        NonFiniteError,
        OutOfMemoryError,
        PairError,
        StoppedError,
        TrainingError,
        UpscaleError,
        WeightsError,
    )
    from esrgan_torch.images.files import read_frames, read_image, write_frames, write_image
    from esrgan_torch.images.picture import Frame, Frames, Picture
    from esrgan_torch.images.resample import imresize
    from esrgan_torch.networks.base import Generator, Provenance
    from esrgan_torch.networks.compact import CompactNet, CompactNetConfig
    from esrgan_torch.networks.rrdb import RRDBNet, RRDBNetConfig
    from esrgan_torch.networks.span import SPAN, SPANConfig
    from esrgan_torch.tiling.modes import Box, Tile, Tiling, plan_tiles
    from esrgan_torch.upscaled import Upscaled
    from esrgan_torch.upscaler import Upscaler

__version__: str

__all__ = [
    "SPAN",
    "Box",
    "CancelledError",
    "CompactNet",
    "CompactNetConfig",
    "ConfigError",
    "EngineError",
    "EsrganError",
    "FilmError",
    "FilmReadError",
    "FilmWriteError",
    "ForkedError",
    "Frame",
    "Frames",
    "Generator",
    "ImageError",
    "ImageReadError",
    "ImageTooLargeError",
    "ImageWriteError",
    "MissingCodecError",
    "NonFiniteError",
    "OutOfMemoryError",
    "PairError",
    "Picture",
    "Provenance",
    "RRDBNet",
    "RRDBNetConfig",
    "SPANConfig",
    "StoppedError",
    "Tile",
    "Tiling",
    "TrainingError",
    "UpscaleError",
    "Upscaled",
    "Upscaler",
    "WeightsError",
    "__version__",
    "imresize",
    "plan_tiles",
    "read_frames",
    "read_image",
    "write_frames",
    "write_image",
]

_HOMES = {
    "errors": (
        "CancelledError",
        "ConfigError",
        "EngineError",
        "EsrganError",
        "FilmError",
        "FilmReadError",
        "FilmWriteError",
        "ForkedError",
        "ImageError",
        "ImageReadError",
        "ImageTooLargeError",
        "ImageWriteError",
        "MissingCodecError",
        "NonFiniteError",
        "OutOfMemoryError",
        "PairError",
        "StoppedError",
        "TrainingError",
        "UpscaleError",
        "WeightsError",
    ),
    "images.files": ("read_frames", "read_image", "write_frames", "write_image"),
    "networks.base": ("Generator", "Provenance"),
    "networks.compact": ("CompactNet", "CompactNetConfig"),
    "networks.rrdb": ("RRDBNet", "RRDBNetConfig"),
    "networks.span": ("SPAN", "SPANConfig"),
    "images.picture": ("Frame", "Frames", "Picture"),
    "images.resample": ("imresize",),
    "tiling.modes": ("Box", "Tile", "Tiling", "plan_tiles"),
    "upscaled": ("Upscaled",),
    "upscaler": ("Upscaler",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*__all__, *globals()})


def _version() -> str:
    try:
        return metadata.version("esrgan-torch")
    except metadata.PackageNotFoundError:
        return "(not installed: run from a checkout)"
