"""Smaller weights for a TF.js graph model: they are expanded when loaded, so smaller, not faster.

Only the filters of convolutions are reduced; they are all but 0.2 % of the bytes.

float16: every filter in half precision. The official weights that the project fetches from the package
index are stored in half precision there, so for them nothing is lost.

uint8: tensorflowjs takes one scale for a whole tensor and keeps 34 to 48 dB. Here it is 51 to 59 dB on eight
photos for the official RRDBNet with 6 blocks and CompactNet, and 49 to 56 dB for 23 blocks, at 1.05 to 1.1
times the size, by three things:

- one scale and one zero a group of up to 8 input channels and one output channel (72 weights of a 3x3
  filter), applied by Sub, Mul and Reshape on the filter, so that the convolution stays fused;
- within each 3x3 kernel a weight may be rounded the other way, so that the sum of the kernel keeps its value
  to half a level: pictures and features are smooth, so the error of the sum is what shows (Guo et al. 2022,
  SQuant: https://arxiv.org/abs/2202.07471);
- the first convolution and the last ones (up to five: the tail of RRDBNet x4 and the end of its trunk) stay
  in float16, as far as they are within a twentieth of all weights: they carry the picture itself.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_bridge.errors import ConversionError
from esrgan_bridge.tfjs_model import Json, Stored, TfjsModel, plain

KINDS = ("none", "float16", "uint8")
GROUP = 8  # input channels that share a scale and a zero
FINE_SHARE = 1 / 20  # of the weights, at most, that uint8 leaves in float16
FINE_LAST = 5  # of the last convolutions, at most, likewise
LEVELS = 255
CONVOLUTIONS = ("_FusedConv2D", "Conv2D")
Float = NDArray[np.float32]


def quantized(model: TfjsModel, kind: str) -> TfjsModel:
    """A model whose filters are stored in `kind`: "none", "float16" or "uint8"; the given one is unchanged.

    Raises:
        ConversionError: no such kind, or a weight too large for float16.
    """
    if kind not in KINDS:
        raise ConversionError(f"weights are stored as {', '.join(KINDS)}, not {kind!r}")
    if kind == "none":
        return model
    names = filters_of(model)
    fine = set(names if kind == "float16" else finest(model, names))
    nodes: list[Json] = []
    weights: dict[str, Stored] = {}
    shapes: dict[tuple[int, ...], str] = {}
    for node in model.nodes:
        name = node["name"]
        stored = model.weights.get(name)
        if stored is None or name not in names:
            nodes.append(node)
            if stored is not None:
                weights[name] = stored
        elif name in fine:
            nodes.append(node)
            weights[name] = in_half(name, stored.values)
        else:
            shape = stored.values.shape
            if shape not in shapes:
                shapes[shape] = f"filter_shape_{len(shapes)}"
                weights[shapes[shape]] = plain(np.array(shape, np.int32))
                nodes.append(_constant(shapes[shape], "DT_INT32", (4,)))
            parts = in_levels(stored.values)
            for part, value in parts.items():
                weights[f"{name}/{part}"] = value
                nodes.append(_constant(f"{name}/{part}", "DT_FLOAT", value.values.shape))
            nodes += _expansion(name, shapes[shape])
    return TfjsModel(nodes, weights, model.signature, model.versions)


def filters_of(model: TfjsModel) -> list[str]:
    """Names of the constants that are filters of convolutions, in the order of the topology."""
    # an unfused converter puts an Identity between a constant and its convolution
    sources = {node["name"]: node["input"][0] for node in model.nodes if node["op"] == "Identity"}
    found: dict[str, None] = {}
    for node in model.nodes:
        if node["op"] in CONVOLUTIONS:
            name = sources.get(node["input"][1], node["input"][1])
            if name in model.weights:
                found[name] = None
    return list(found)


def finest(model: TfjsModel, names: list[str]) -> list[str]:
    """The filters that stay in float16: the first, and the last ones as the head of this module says."""
    sizes = {name: model.weights[name].values.size for name in names}
    left = sum(sizes.values()) * FINE_SHARE
    chosen: list[str] = []
    for name in [*names[:1], *reversed(names[1:][-FINE_LAST:])]:
        left -= sizes[name]
        if left < 0:
            break
        chosen.append(name)
    return chosen


def in_half(name: str, values: NDArray[Any]) -> Stored:
    """A filter in float16."""
    largest = float(np.abs(values).max(initial=0))
    if not largest <= float(np.finfo(np.float16).max):
        raise ConversionError(f"{name} holds {largest}, and float16 ends at 65504; keep float32")
    return Stored(values.astype(np.float16), "float32", {"dtype": "float16", "original_dtype": "float32"})


def in_levels(values: Float) -> dict[str, Stored]:
    """A filter (height, width, in, out) as levels, zeros and steps: (levels - zeros) * steps.

    Their shapes are (height, width, groups, in / groups, out) and twice (1, 1, groups, 1, out).
    """
    height, width, inputs, outputs = values.shape
    group = max(size for size in range(1, GROUP + 1) if inputs % size == 0)
    grouped = values.reshape(height, width, inputs // group, group, outputs)
    low = np.minimum(grouped.min(axis=(0, 1, 3), keepdims=True), 0)
    high = np.maximum(grouped.max(axis=(0, 1, 3), keepdims=True), 0)
    # the next larger half, so that the range is covered; what is stored is what rounding works with
    steps = np.nextafter(((high - low) / LEVELS).astype(np.float16), np.float16(np.inf))
    exact = grouped / steps.astype(np.float32)
    zeros = np.rint(-low / steps.astype(np.float32)).clip(0, LEVELS)
    levels = (sum_keeping(exact) + zeros).clip(0, LEVELS)
    whole = {"dtype": "uint8", "scale": 1.0, "min": 0.0, "original_dtype": "float32"}
    half = {"dtype": "float16", "original_dtype": "float32"}
    return {
        "levels": Stored(levels.astype(np.uint8), "float32", whole),
        "zeros": Stored(zeros.astype(np.uint8), "float32", whole),
        "steps": Stored(steps, "float32", half),
    }


def sum_keeping(exact: Float) -> Float:
    """Round (height, width, ...) to whole numbers; each sum over height and width changes by at most 1/2.

    Each entry is rounded; then, where the sum is off by more than a half, the entries that were nearest to
    the other whole number go there. No entry moves by more than 1.
    """
    flat = exact.reshape(-1, *exact.shape[2:])
    rounded = np.rint(flat)
    error = flat - rounded
    missing = np.rint(error.sum(axis=0, keepdims=True))
    order = np.argsort(-error * np.sign(missing), axis=0, kind="stable")
    rank = np.argsort(order, axis=0, kind="stable")
    return (rounded + np.sign(missing) * (rank < np.abs(missing))).reshape(exact.shape)


def _constant(name: str, dtype: str, shape: tuple[int, ...]) -> Json:
    tensor = {"dtype": dtype, "tensorShape": {"dim": [{"size": str(size)} for size in shape]}}
    return {"name": name, "op": "Const", "attr": {"dtype": {"type": dtype}, "value": {"tensor": tensor}}}


def _expansion(name: str, shape: str) -> list[Json]:
    """Nodes that make the filter `name` from its parts."""
    kind: Mapping[str, object] = {"T": {"type": "DT_FLOAT"}}
    return [
        {"name": f"{name}/centred", "op": "Sub", "input": [f"{name}/levels", f"{name}/zeros"], "attr": kind},
        {"name": f"{name}/scaled", "op": "Mul", "input": [f"{name}/centred", f"{name}/steps"], "attr": kind},
        {
            "name": name,
            "op": "Reshape",
            "input": [f"{name}/scaled", shape],
            "attr": {**kind, "Tshape": {"type": "DT_INT32"}},
        },
    ]
