"""An ONNX file cut at "features": the trunk, which runs on the whole picture, and the tail, in tiles.

ONNX Runtime and TensorRT take no tensor inside of a graph as an input, so each part is a file of its own. The
weights are not stored twice: what one part has the other has not.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from esrgan_bridge.errors import ConversionError

TRUNK, TAIL = "trunk.onnx", "tail.onnx"


def part_files(file: Path) -> tuple[Path, Path]:
    """Where trunk and tail of an ONNX file are, beside it, whether or not they were made."""
    return file.with_name(TRUNK), file.with_name(TAIL)


def has_parts(file: Path) -> bool:
    """Whether trunk and tail are beside an ONNX file."""
    return all(part.is_file() for part in part_files(file))


def cut(document: Any, features: str, sizes: Sequence[int | str], factor: int) -> tuple[Any, Any]:
    """Two documents: from the input to `features`, and from there to the output.

    Args:
        document: a network with one input and one output; it is not changed.
        features: name of the tensor between the parts.
        sizes: of its axes, names for those that are not fixed.
        factor: output pixels a feature pixel, along each axis.

    Raises:
        ConversionError: the tail needs more than the features.
    """
    import onnx

    graph = document.graph
    kind = graph.output[0].type.tensor_type.elem_type
    port = onnx.helper.make_tensor_value_info(features, kind, list(sizes))
    trunk = _part(document, list(graph.input), [port])
    tail = _part(document, [port], list(graph.output))
    for axis in (2, 3):
        size = tail.graph.output[0].type.tensor_type.shape.dim[axis]
        size.dim_param = str(sizes[axis]) if factor == 1 else f"{factor}*{sizes[axis]}"
    return trunk, tail


def _part(document: Any, inputs: list[Any], outputs: list[Any]) -> Any:
    """The nodes that the outputs need, as far as the inputs."""
    import onnx

    given = {value.name for value in inputs}
    producers = {name: node for node in document.graph.node for name in node.output}
    weights = {entry.name: entry for entry in document.graph.initializer}
    needed: set[str] = set()
    waiting = [value.name for value in outputs]
    while waiting:
        name = waiting.pop()
        if name in needed or name in given or name in weights or not name:
            needed.add(name)
            continue
        if name not in producers:
            raise ConversionError(f"the part from {', '.join(given)} needs {name!r} too")
        needed.add(name)
        waiting += producers[name].input
    nodes = [
        node
        for node in document.graph.node
        if any(name in needed and name not in given for name in node.output)
    ]
    part = onnx.ModelProto()
    part.CopyFrom(document)
    for field in ("node", "initializer", "input", "output", "value_info"):
        part.graph.ClearField(field)
    part.graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    part.graph.initializer.extend(entry for name, entry in weights.items() if name in used)
    part.graph.input.extend(inputs)
    part.graph.output.extend(outputs)
    return part
