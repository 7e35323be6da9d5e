"""Other runtimes: from PyTorch to ONNX, TensorFlow and TensorFlow.js.

    from esrgan_bridge import convert
    report = convert("realesrgan-x4plus", "site/model", to="tfjs")

Nothing heavy is imported until it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from esrgan_bridge.chain import convert, recheck
    from esrgan_bridge.errors import (
        ArtifactError,
        BridgeError,
        ConversionError,
        MissingRuntimeError,
        NotMeasuredError,
        ParityError,
        RunnerError,
    )
    from esrgan_bridge.parity.findings import ParityReport

_ERRORS = (
    "ArtifactError",
    "BridgeError",
    "ConversionError",
    "MissingRuntimeError",
    "NotMeasuredError",
    "ParityError",
    "RunnerError",
)
_HOME = {
    "convert": "chain",
    "recheck": "chain",
    "ParityReport": "parity.findings",
    **dict.fromkeys(_ERRORS, "errors"),
}

__all__ = [
    "ArtifactError",
    "BridgeError",
    "ConversionError",
    "MissingRuntimeError",
    "NotMeasuredError",
    "ParityError",
    "ParityReport",
    "RunnerError",
    "convert",
    "recheck",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        return getattr(import_module("esrgan_torch"), name)
    if name in _HOME:
        return getattr(import_module(f"esrgan_bridge.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *globals()})
