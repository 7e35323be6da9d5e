"""Lowered graph to TensorFlow: a GraphDef, and a SavedModel with three signatures on one graph.

Convolution, bias and LeakyReLU stay three nodes here: TensorFlow fuses them itself when it runs the
graph, in the way that the processor has. TensorFlow knows no PReLU; it becomes relu(x) - slopes * relu(-x),
which tensorflowjs recognises.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_bridge.artifact import Metadata, write_record
from esrgan_bridge.errors import MissingRuntimeError
from esrgan_bridge.files.storing import whole_folder
from esrgan_bridge.lowering.lowered import SIMPLE, LoweredGraph, Node
from esrgan_bridge.writers.quiet import import_tensorflow

SIGNATURE = "serving_default"
AXIS = "channels_axis"


def write_saved_model(graph: LoweredGraph, folder: Path, metadata: Metadata) -> Path:
    """Write a SavedModel into a new folder, with its record `esrgan.json`.

    Signatures: "serving_default" input -> output, "trunk" input -> features, "tail" features -> output, and
    "both" input -> output and features. All share one graph, so one set of weights.

    Args:
        graph: what to write.
        folder: must not exist, or be empty.
        metadata: of the network.

    Raises:
        MissingRuntimeError: tensorflow is not installed.
        ArtifactError: the folder cannot be written; nothing is left then.
    """
    document = to_graph_def(graph)  # raises where tensorflow is missing
    meta_graph_pb2: Any = import_tensorflow("tensorflow.core.protobuf.meta_graph_pb2")
    saved_model_pb2: Any = import_tensorflow("tensorflow.core.protobuf.saved_model_pb2")
    saved = saved_model_pb2.SavedModel(saved_model_schema_version=1)
    meta = meta_graph_pb2.MetaGraphDef()
    meta.graph_def.CopyFrom(document)
    meta.meta_info_def.tags.append("serve")
    whole, inner = graph.output, graph.features
    shapes = graph.shapes()
    for name, inputs, outputs in (
        (SIGNATURE, [graph.input], [whole]),
        ("trunk", [graph.input], [inner]),
        ("tail", [inner], [whole]),
        ("both", [graph.input], [whole, inner]),
    ):
        signature = meta.signature_def[name]
        signature.method_name = "tensorflow/serving/predict"
        for ports, tensors in ((signature.inputs, inputs), (signature.outputs, outputs)):
            for tensor in tensors:
                ports[tensor].name = f"{tensor}:0"
                ports[tensor].dtype = 1  # DT_FLOAT
                _set_shape(ports[tensor].tensor_shape, shapes[tensor])
    saved.meta_graphs.append(meta)
    with whole_folder(folder) as temporary:
        (temporary / "saved_model.pb").write_bytes(saved.SerializeToString(deterministic=True))
        write_record(temporary, metadata.with_changes(layout="NHWC"))
    return folder


def to_graph_def(graph: LoweredGraph) -> Any:
    """The graph as a `tensorflow.GraphDef`.

    Raises:
        MissingRuntimeError: tensorflow is not installed.
    """
    try:
        graph_pb2: Any = import_tensorflow("tensorflow.core.framework.graph_pb2")
    except ImportError as error:
        raise MissingRuntimeError(
            'tensorflow is not installed: pip install "esrgan-torch[bridge]"'
        ) from error
    writer = _Writer(graph_pb2.GraphDef())
    placeholder = writer.add("Placeholder", graph.input, [])
    placeholder.attr["dtype"].type = 1
    _set_shape(placeholder.attr["shape"].shape, graph.shapes()[graph.input])
    slopes = {node.inputs[-1] for node in graph.nodes if node.operation == "prelu" or _is_prelu(node)}
    for name, values in graph.constants.items():
        writer.constant(name, -values if name in slopes else values)
    writer.constant(AXIS, np.array(3, np.int32))
    for node in graph.nodes:
        writer.operation(node)
    return writer.document


def _is_prelu(node: Node) -> bool:
    return node.attributes.get("activation") == "prelu"


class _Writer:
    """A GraphDef being built."""

    def __init__(self, document: Any) -> None:
        self.document = document
        document.versions.producer = 2129  # tensorflow 2.19's

    def add(self, operation: str, name: str, inputs: list[str]) -> Any:
        """A node; returns it, for its attributes."""
        node = self.document.node.add()
        node.op, node.name = operation, name
        node.input.extend(inputs)
        if operation not in ("Placeholder", "Const"):
            node.attr["T"].type = 1  # DT_FLOAT
        return node

    def constant(self, name: str, values: NDArray[Any]) -> None:
        node = self.add("Const", name, [])
        kind = 3 if values.dtype == np.int32 else 1  # DT_INT32, DT_FLOAT
        node.attr["dtype"].type = kind
        tensor = node.attr["value"].tensor
        tensor.dtype = kind
        tensor.tensor_shape.SetInParent()  # a scalar has no sizes, and OpenVINO takes no shape for a list
        for size in values.shape:
            tensor.tensor_shape.dim.add().size = size
        tensor.tensor_content = values.tobytes()

    def operation(self, node: Node) -> None:
        """The node or nodes that stand for one operation; the last one has its name."""
        match node.operation:
            case "conv":
                self.convolution(node)
            case "concat":
                concat = self.add("ConcatV2", node.name, [*node.inputs, AXIS])
                concat.attr["N"].i = len(node.inputs)
                concat.attr["Tidx"].type = 3
            case "depth_to_space":
                shuffle = self.add("DepthToSpace", node.name, list(node.inputs))
                shuffle.attr["block_size"].i = int(node.attributes["size"])
                shuffle.attr["data_format"].s = b"NHWC"
            case "leaky":
                self.add("LeakyRelu", node.name, list(node.inputs)).attr["alpha"].f = float(
                    node.attributes["alpha"]
                )
            case "prelu":
                self.prelu(node.name, *node.inputs)
            case "enlarge":
                self.enlargement(node)
            case _:
                self.add(SIMPLE[node.operation], node.name, list(node.inputs))

    def convolution(self, node: Node) -> None:
        source, weight, bias, *slopes = node.inputs
        stride = int(node.attributes["stride"])
        activation = node.attributes["activation"]
        convolution = self.add("Conv2D", f"{node.name}/convolution", [source, weight])
        convolution.attr["strides"].list.i.extend([1, stride, stride, 1])
        convolution.attr["padding"].s = b"SAME"
        convolution.attr["data_format"].s = b"NHWC"
        biased = node.name if activation == "none" else f"{node.name}/biased"
        self.add("BiasAdd", biased, [convolution.name, bias]).attr["data_format"].s = b"NHWC"
        if activation == "leaky":
            self.add("LeakyRelu", node.name, [biased]).attr["alpha"].f = float(node.attributes["alpha"])
        elif activation == "prelu":
            self.prelu(node.name, biased, *slopes)

    def enlargement(self, node: Node) -> None:
        """Nearest neighbour, to a size computed from that of the input."""
        factor, source = int(node.attributes["factor"]), node.inputs[0]
        shape = self.add("Shape", f"{node.name}/shape", [source])
        shape.attr["out_type"].type = 3
        limits: list[str] = []
        for name, value in (("begin", [1]), ("end", [3]), ("strides", [1]), ("factor", [factor] * 2)):
            limits.append(f"{node.name}/{name}")
            self.constant(limits[-1], np.array(value, np.int32))
        size = self.add("StridedSlice", f"{node.name}/size", [shape.name, *limits[:3]])
        larger = self.add("Mul", f"{node.name}/larger", [size.name, limits[3]])
        for whole in (size, larger):
            whole.attr["T"].type = 3
        size.attr["Index"].type = 3
        self.add("ResizeNearestNeighbor", node.name, [source, larger.name])

    def prelu(self, name: str, source: str, negated_slopes: str) -> None:
        self.add("Relu", f"{name}/positive", [source])
        self.add("Neg", f"{name}/negated", [source])
        self.add("Relu", f"{name}/negative", [f"{name}/negated"])
        self.add("Mul", f"{name}/scaled", [negated_slopes, f"{name}/negative"])
        self.add("AddV2", name, [f"{name}/positive", f"{name}/scaled"])


def _set_shape(shape: Any, sizes: Sequence[int]) -> None:
    for size in sizes:
        shape.dim.add().size = size
