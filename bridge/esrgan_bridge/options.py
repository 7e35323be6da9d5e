"""What may be asked of a conversion, and what goes together."""

from typing import Literal, get_args

from esrgan_torch.errors import ConfigError

Target = Literal["onnx", "tf", "tfjs", "tflite"]
Route = Literal["auto", "tf", "direct", "onnx-tf"]
Quantize = Literal["none", "float16", "uint8", "int8"]
Size = tuple[int, int]

OPSET = 13  # the newest that onnx-tf 1.10 takes for all operators; none of them gained anything since
OPSETS = range(11, 21)  # in which the operators mean the same, as far as PyTorch's exporter by tracing goes
# how the weights of the last step may be stored
WEIGHTS: dict[str, tuple[str, ...]] = {
    "onnx": ("none", "float16"),
    "tf": ("none",),
    "tfjs": ("none", "float16", "uint8"),
    "tflite": ("none", "float16", "int8"),
}
_HINTS = {
    "onnx": "an ONNX file has float32 or float16 weights; uint8 goes with --to tfjs, int8 with --to tflite",
    "tf": "a SavedModel keeps float32 weights: quantize goes with --to tfjs and --to tflite",
    "tfjs": "a TF.js model has float32, float16 or uint8 weights; int8 goes with --to tflite",
    "tflite": "a LiteRT file has float32, float16 or int8 weights; uint8 goes with --to tfjs",
}


def check_options(
    to: str, route: str, quantize: str, *, parts: bool = False, shape: Size | None = None, opset: int = OPSET
) -> None:
    """Before anything is loaded or computed; for the arguments see `esrgan_bridge.convert`.

    Raises:
        ConfigError: one of them cannot be, or they do not go together.
    """
    for given, known, name in (
        (to, get_args(Target), "to"),
        (route, get_args(Route), "route"),
        (quantize, get_args(Quantize), "quantize"),
    ):
        if given not in known:
            raise ConfigError(f"{name} must be one of {', '.join(known)}, not {given!r}")
    if to == "tf" and route == "direct":
        raise ConfigError("the route direct makes TF.js files alone: choose the route tf for TensorFlow")
    if to == "tflite" and route not in ("auto", "tf"):
        raise ConfigError(f"LiteRT files are made from the SavedModel of the route tf, not by {route}")
    if quantize not in WEIGHTS[to]:
        raise ConfigError(_HINTS[to])
    if parts and to != "onnx":
        raise ConfigError(
            "parts are files of ONNX, and go with --to onnx: a SavedModel and a LiteRT file have trunk and "
            "tail as signatures, a TF.js model as a node"
        )
    if shape is not None and min(shape) < 1:
        raise ConfigError(f"shape must be a height and a width of at least 1, not {shape[0]}x{shape[1]}")
    if shape is not None and parts:
        raise ConfigError("parts serve tiles of any size, and a shape fixes it: give one of the two")
    if opset not in OPSETS:
        raise ConfigError(f"opset must be {OPSETS.start} to {OPSETS.stop - 1}, not {opset}")
    if route == "onnx-tf" and opset > OPSET:
        raise ConfigError(f"onnx-tf reads opsets up to {OPSET}, not {opset}")
