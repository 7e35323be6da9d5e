"""Smaller weights for a TF.js graph model: they are expanded when the graph runs, so smaller, not faster.

Only the filters of convolutions are reduced; they are all but 0.2 % of the bytes.

float16: every filter in half precision. The official weights that the project fetches from the package
index are stored in half precision there, so for them nothing is lost.

uint8: 8-bit levels with a zero and a step for every few weights, see `rounding`; tensorflowjs takes one step
for a whole tensor and keeps 34 to 48 dB. The first convolution and the last ones (up to ten: the tail of
RRDBNet x4 and the last dense block of its trunk) stay in float16, as far as they are within a twentieth of
all weights: nothing after them evens out their errors. `esrgan_benchmarks.studies.quantization` measures what
photos keep.

Filters of one shape but for their inputs are stacked along the inputs, so that few nodes expand many filters:
Sub and Mul on the stack, SplitV, and a Reshape a filter. The convolutions stay fused.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_bridge.errors import ConversionError
from esrgan_bridge.writers.rounding import Levels, in_levels, unit_of
from esrgan_bridge.writers.tfjs_model import Json, Stored, TfjsModel, plain, restored

KINDS = ("none", "float16", "uint8")
GROUP = 4  # input channels that share a step and a zero
FINE_SHARE = 1 / 20  # of the weights, at most, that uint8 leaves in float16
FINE_LAST = 10  # of the last convolutions, at most, likewise
STACK = 2**20  # weights of a stack, at most, unless one filter has more: 4 MB while it is expanded
AXIS = "filters_axis"
CONVOLUTIONS = ("_FusedConv2D", "Conv2D")
PARTS = ("levels", "zeros", "steps")
WHOLE: Mapping[str, str | float] = {"dtype": "uint8", "scale": 1.0, "min": 0.0, "original_dtype": "float32"}
HALF: Mapping[str, str | float] = {"dtype": "float16", "original_dtype": "float32"}


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
    coarse = [name for name in names if name not in fine]
    weights = {
        name: in_half(name, stored.values) if name in fine else stored
        for name, stored in model.weights.items()
        if name not in coarse
    }
    nodes = [node for node in model.nodes if node["name"] not in coarse]
    if coarse:
        _add_constant(nodes, weights, AXIS, plain(np.array(1, np.int32)))
        for number, stack in enumerate(stacks(model, coarse)):
            _add_stack(
                nodes, weights, f"filters_{number}", {name: model.weights[name].values for name in stack}
            )
    return TfjsModel(nodes, weights, model.signature, model.versions)


def expanded(model: TfjsModel, names: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """The filters of these names as the graph computes them from what `quantized` stored."""
    found = {name: restored(model.weights[name]) for name in names if name in model.weights}
    nodes = {node["name"]: node for node in model.nodes}
    for name in names:
        if name in found:
            continue
        piece, shape = nodes[name]["input"]
        stack, _, position = piece.partition(":")
        scaled, sizes, _ = nodes[stack]["input"]
        base = scaled.removesuffix("/scaled")
        levels, zeros, steps = (restored(model.weights[f"{base}/{part}"]) for part in PARTS)
        ends = np.cumsum(model.weights[sizes].values)[:-1]
        pieces = np.split((levels - zeros) * steps, ends, axis=1)
        found[name] = pieces[int(position or 0)].reshape(model.weights[shape].values)
    return found


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


def stacks(model: TfjsModel, names: Sequence[str]) -> Iterator[list[str]]:
    """The filters that share a stack: equal kernels, groups and outputs, and no more than `STACK` weights."""
    open_stacks: dict[tuple[int, ...], list[str]] = {}
    held: dict[tuple[int, ...], int] = {}
    for name in names:
        height, width, inputs, outputs = model.weights[name].values.shape
        key = (height, width, group_size(inputs), outputs)
        size = model.weights[name].values.size
        if key in open_stacks and held[key] + size > STACK:
            yield open_stacks.pop(key)
        if key not in open_stacks:
            open_stacks[key], held[key] = [], 0
        open_stacks[key].append(name)
        held[key] += size
    yield from open_stacks.values()


def group_size(inputs: int) -> int:
    """How many input channels share a step: the most that divide them, up to `GROUP`."""
    return max(size for size in range(1, GROUP + 1) if inputs % size == 0)


def in_half(name: str, values: NDArray[Any]) -> Stored:
    """A filter in float16."""
    largest = float(np.abs(values).max(initial=0))
    if not largest <= float(np.finfo(np.float16).max):
        raise ConversionError(f"{name} holds {largest}, and float16 ends at 65504; keep float32")
    return Stored(values.astype(np.float16), "float32", HALF)


def _add_stack(
    nodes: list[Json], weights: dict[str, Stored], base: str, filters: Mapping[str, NDArray[np.float32]]
) -> None:
    """Constants and nodes that give every filter of a stack under its own name."""
    group = group_size(next(iter(filters.values())).shape[2])
    unit = unit_of(filters.values(), group)
    rounded = [in_levels(values, group, unit) for values in filters.values()]
    joined = Levels(*(np.concatenate([getattr(one, part) for one in rounded], axis=1) for part in PARTS))
    sizes = np.array([one.levels.shape[1] for one in rounded], np.int32)
    for part, stored in (
        ("levels", Stored(joined.levels, "float32", WHOLE)),
        ("zeros", Stored(joined.zeros, "float32", WHOLE)),
        ("steps", Stored(joined.steps, "float32", {**WHOLE, "scale": float(unit)})),
        ("sizes", plain(sizes)),
    ):
        _add_constant(nodes, weights, f"{base}/{part}", stored)
    kind: Json = {"T": {"type": "DT_FLOAT"}}
    whole: Json = {"type": "DT_INT32"}
    centred, scaled = f"{base}/centred", f"{base}/scaled"
    splitting = {**kind, "num_split": {"i": str(len(filters))}, "Tlen": whole}
    nodes += [
        {"name": centred, "op": "Sub", "input": [f"{base}/levels", f"{base}/zeros"], "attr": kind},
        {"name": scaled, "op": "Mul", "input": [centred, f"{base}/steps"], "attr": kind},
        {"name": base, "op": "SplitV", "input": [scaled, f"{base}/sizes", AXIS], "attr": splitting},
    ]
    for position, (name, values) in enumerate(filters.items()):
        shape = "filter_shape_" + "x".join(map(str, values.shape))
        if shape not in weights:
            _add_constant(nodes, weights, shape, plain(np.array(values.shape, np.int32)))
        piece = f"{base}:{position}" if position else base
        nodes.append(
            {"name": name, "op": "Reshape", "input": [piece, shape], "attr": {**kind, "Tshape": whole}}
        )


def _add_constant(nodes: list[Json], weights: dict[str, Stored], name: str, stored: Stored) -> None:
    dtype = "DT_INT32" if stored.dtype == "int32" else "DT_FLOAT"
    tensor = {
        "dtype": dtype,
        "tensorShape": {"dim": [{"size": str(size)} for size in stored.values.shape]},
    }
    nodes.append(
        {"name": name, "op": "Const", "attr": {"dtype": {"type": dtype}, "value": {"tensor": tensor}}}
    )
    weights[name] = stored
