"""Lowered graph to a TF.js graph model, with neither tensorflow nor tensorflowjs: route `direct`."""

import base64
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from esrgan_bridge.artifact import Metadata
from esrgan_bridge.files.storing import whole_folder
from esrgan_bridge.lowering.lowered import SIMPLE, LoweredGraph, Node
from esrgan_bridge.writers.quantize import quantized
from esrgan_bridge.writers.tfjs_model import Json, Stored, TfjsModel, plain, write_model

AXIS = "channels_axis"
# height and width are entries 1 and 2 of a shape
SLICE = {"enlarge/begin": 1, "enlarge/end": 3, "enlarge/strides": 1}
KNOWN = {**SIMPLE, "leaky": "LeakyRelu", "prelu": "Prelu"}
FLOAT: Json = {"type": "DT_FLOAT"}
INT: Json = {"type": "DT_INT32"}
PRODUCER = 2129  # of the GraphDef: tensorflow 2.19's


def write_tfjs(graph: LoweredGraph, folder: Path, metadata: Metadata, quantize: str = "none") -> Path:
    """Write `model.json` and shards into a new folder; equal graphs give equal bytes.

    Args:
        graph: what to write.
        folder: must not exist, or be empty.
        metadata: of the network.
        quantize: "none", "float16" or "uint8", see `quantize`.

    Raises:
        ConversionError: no such quantisation, or weights that it cannot hold.
        ArtifactError: the folder cannot be written; nothing is left then.
    """
    model = quantized(to_tfjs(graph), quantize)
    metadata = metadata.with_changes(layout="NHWC", quantize=quantize)
    with whole_folder(folder) as temporary:
        write_model(temporary, model, metadata, f"esrgan-bridge {release()}")
    return folder


def to_tfjs(graph: LoweredGraph) -> TfjsModel:
    """The graph model in memory, weights in float32."""
    shapes = graph.shapes()
    nodes: list[Json] = [
        {
            "name": graph.input,
            "op": "Placeholder",
            "attr": {"dtype": FLOAT, "shape": {"shape": _shape(shapes[graph.input])}},
        }
    ]
    weights: dict[str, Stored] = {}
    for name, values in graph.constants.items():
        weights[name] = plain(values)
    if any(node.operation == "concat" for node in graph.nodes):
        weights[AXIS] = plain(np.array(3, np.int32))
    factors = {int(node.attributes["factor"]) for node in graph.nodes if node.operation == "enlarge"}
    if factors:
        weights |= {name: plain(np.array([value], np.int32)) for name, value in SLICE.items()}
    for factor in sorted(factors):
        weights[f"enlarge/{factor}"] = plain(np.array([factor, factor], np.int32))
    nodes += [constant(name, stored) for name, stored in weights.items()]
    for node in graph.nodes:
        nodes += _enlargement(node) if node.operation == "enlarge" else [_node(node)]
    signature = {
        "inputs": {graph.input: _port(graph.input, shapes[graph.input])},
        "outputs": {graph.output: _port(graph.output, shapes[graph.output])},
    }
    return TfjsModel(nodes, weights, signature, {"producer": PRODUCER})


def constant(name: str, stored: Stored) -> Json:
    """A Const node; its value is in the shards."""
    kind = INT if stored.dtype == "int32" else FLOAT
    shape = {"dim": [{"size": str(size)} for size in stored.values.shape]} if stored.values.ndim else {}
    value = {"tensor": {"dtype": kind["type"], "tensorShape": shape}}
    return {"name": name, "op": "Const", "attr": {"dtype": kind, "value": value}}


def _node(node: Node) -> Json:
    inputs = list(node.inputs)
    if node.operation == "conv":
        return {"name": node.name, "op": "_FusedConv2D", "input": inputs, "attr": _convolution(node)}
    attributes: Json = {"T": FLOAT}
    if node.operation == "concat":
        attributes |= {"N": {"i": str(len(inputs))}, "Tidx": INT}
        return {"name": node.name, "op": "ConcatV2", "input": [*inputs, AXIS], "attr": attributes}
    if node.operation == "depth_to_space":
        attributes |= {"block_size": {"i": str(node.attributes["size"])}, "data_format": _text("NHWC")}
        return {"name": node.name, "op": "DepthToSpace", "input": inputs, "attr": attributes}
    if node.operation == "leaky":
        attributes["alpha"] = _single(node.attributes["alpha"])
    return {"name": node.name, "op": KNOWN[node.operation], "input": inputs, "attr": attributes}


def _enlargement(node: Node) -> list[Json]:
    """Nearest neighbour, to a size computed from that of the input."""
    shape, size, larger = f"{node.name}/shape", f"{node.name}/size", f"{node.name}/larger"
    masks = ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    slicing: Json = {"T": INT, "Index": INT, **{f"{mask}_mask": {"i": "0"} for mask in masks}}
    resizing: Json = {"T": FLOAT, "align_corners": {"b": False}, "half_pixel_centers": {"b": False}}
    factor = f"enlarge/{node.attributes['factor']}"
    source = node.inputs[0]
    return [
        {"name": shape, "op": "Shape", "input": [source], "attr": {"T": FLOAT, "out_type": INT}},
        {"name": size, "op": "StridedSlice", "input": [shape, *SLICE], "attr": slicing},
        {"name": larger, "op": "Mul", "input": [size, factor], "attr": {"T": INT}},
        {"name": node.name, "op": "ResizeNearestNeighbor", "input": [source, larger], "attr": resizing},
    ]


def _convolution(node: Node) -> Json:
    stride = str(node.attributes["stride"])
    activation = {"none": [], "leaky": ["LeakyRelu"], "prelu": ["Prelu"]}[str(node.attributes["activation"])]
    attributes: Json = {
        "T": FLOAT,
        "strides": {"list": {"i": ["1", stride, stride, "1"]}},
        "dilations": {"list": {"i": ["1", "1", "1", "1"]}},
        "padding": _text("SAME"),
        "data_format": _text("NHWC"),
        "num_args": {"i": str(len(node.inputs) - 2)},
        "fused_ops": {"list": {"s": [_base64(name) for name in ("BiasAdd", *activation)]}},
    }
    if "alpha" in node.attributes:
        attributes["leakyrelu_alpha"] = _single(node.attributes["alpha"])
    return attributes


def _shape(sizes: Sequence[int]) -> Mapping[str, object]:
    return {"dim": [{"size": str(size)} for size in sizes]}


def _port(name: str, sizes: Sequence[int]) -> Json:
    return {"name": f"{name}:0", "dtype": "DT_FLOAT", "tensorShape": _shape(sizes)}


def _single(value: object) -> Json:
    """A float32 attribute, in the fewest digits, as protobuf writes it."""
    return {"f": float(str(np.float32(float(str(value)))))}


def _text(value: str) -> Json:
    return {"s": _base64(value)}


def _base64(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def release() -> str:
    """Version of this project, or "source" where it is not installed."""
    try:
        return version("esrgan-torch")
    except PackageNotFoundError:
        return "source"
