"""ONNX files whose weights and arithmetic are float16: float32 outside, and back to float32 inside.

A program then gives and takes float32 numbers, whichever file it has; the two casts cost next to nothing.
"""

from typing import Any

import numpy as np


def with_float32_ports(document: Any) -> None:
    """Put a Cast after each input and before each output that is float16, which becomes float32; in place."""
    import onnx

    half, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    graph = document.graph
    inner: dict[str, str] = {}
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type == half:
            value.type.tensor_type.elem_type = single
            inner[value.name] = f"{value.name}_float16"
    nodes = list(graph.node)
    for node in nodes:
        for names in (node.input, node.output):
            names[:] = [inner.get(name, name) for name in names]

    def cast(source: str, result: str, kind: int) -> Any:
        return onnx.helper.make_node("Cast", [source], [result], f"{result}/cast", to=kind)

    into = [cast(value.name, inner[value.name], half) for value in graph.input if value.name in inner]
    out = [cast(inner[value.name], value.name, single) for value in graph.output if value.name in inner]
    del graph.node[:]
    graph.node.extend([*into, *nodes, *out])


def widened(document: Any) -> None:
    """Make all that is float16 float32, weights with their values, and leave the casts out; in place."""
    import onnx

    half, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    graph = document.graph
    for entry in graph.initializer:
        if entry.data_type == half:
            values = onnx.numpy_helper.to_array(entry).astype(np.float32)
            entry.CopyFrom(onnx.numpy_helper.from_array(values, entry.name))
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type == half:
            value.type.tensor_type.elem_type = single
    casts = [node for node in graph.node if _is_between(node, half, single)]
    outputs = {value.name for value in graph.output}
    renamed: dict[str, str] = {}
    for node in casts:
        (source,), (result,) = node.input, node.output
        renamed |= {source: result} if result in outputs else {result: source}
        graph.node.remove(node)
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [renamed.get(name, name) for name in names]


def _is_between(node: Any, *kinds: int) -> bool:
    """Whether a node is a Cast to one of these types."""
    return node.op_type == "Cast" and any(entry.name == "to" and entry.i in kinds for entry in node.attribute)
