"""The lowered graph while it is built: names, constants and channels, and what may be fused."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from esrgan_bridge.errors import ConversionError
from esrgan_bridge.lowering.lowered import Attribute, Constants, LoweredGraph, Node


class Lowering:
    """The graph being built: `onnx_to_tf.lower` makes one, feeds it every node, and takes the result."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        import onnx

        self.tensors: dict[str, NDArray[Any]] = {
            entry.name: cast("NDArray[Any]", onnx.numpy_helper.to_array(entry)) for entry in graph.initializer
        }
        self.uses = Counter(name for node in graph.node for name in node.input)
        self.uses.update(value.name for value in graph.output)
        self.nodes: list[Node] = []
        self.constants: Constants = {}
        self.names: dict[str, str] = {}  # of an ONNX tensor -> of what stands for it
        self.channels: dict[str, int] = {}
        self.taken: set[str] = set()
        self.size: tuple[int, int] | None = None

    def run(self, table: "Mapping[str, Handler]") -> LoweredGraph:
        """Lower every node by the function that `table` has for its operator.

        Raises:
            ConversionError: see `onnx_to_tf.lower`.
        """
        source, result = self._ports()
        self.names[source.name] = source.name
        self.taken.add(source.name)
        for node in self.graph.node:
            if node.op_type not in table or node.domain not in ("", "ai.onnx"):
                known = ", ".join(sorted(table))
                raise ConversionError(f"node {label(node)} is a {node.op_type}; the lowering knows {known}")
            table[node.op_type](self, node)
        output = str(result.name)
        if self.names.get(output) != output:
            raise ConversionError(f"the output {result.name!r} is not the result of a node")
        if "features" not in self.channels:
            raise ConversionError('no tensor is named "features"; export the network with `export_onnx`')
        used = {name for node in self.nodes for name in node.inputs}
        constants = {name: array for name, array in self.constants.items() if name in used}
        nodes = tuple(self.nodes)
        return LoweredGraph(nodes, constants, self.channels, size=self.size, input=source.name, output=output)

    def _ports(self) -> tuple[Any, Any]:
        """Input and output of the graph, checked: one each, float32 by now, any N, H and W or one of each."""
        inputs = [value for value in self.graph.input if value.name not in self.tensors]
        if len(inputs) != 1 or len(self.graph.output) != 1:
            raise ConversionError(
                f"a network with one input and one output can be lowered, not "
                f"{len(inputs)} and {len(self.graph.output)}"
            )
        source = inputs[0]
        kind = source.type.tensor_type
        if kind.elem_type != 1:  # onnx.TensorProto.FLOAT
            raise ConversionError(
                f"input {source.name!r} is neither float32 nor float16; export the network with `export_onnx`"
            )
        sizes = [dimension.dim_value for dimension in kind.shape.dim]
        if len(sizes) != 4 or sizes[1] < 1:
            raise ConversionError(f"input {source.name!r} must be (N, C, H, W) with C known, it has {sizes}")
        count, _, height, width = sizes
        if count == 1 and height and width:
            self.size = height, width
        elif count or height or width:
            raise ConversionError(
                f"input {source.name!r} has the fixed size {'x'.join(map(str, sizes))}; export it with "
                "dynamic batch, height and width, or all of them fixed and one picture"
            )
        self.channels[source.name] = sizes[1]
        return source, self.graph.output[0]

    # what the functions of `operators` use

    def data(self, node: Any, position: int) -> str:
        """Name of what stands for a computed input."""
        name = node.input[position]
        if name not in self.names:
            raise ConversionError(f"node {label(node)} takes {name!r}, which is no earlier result")
        return self.names[name]

    def fixed(self, node: Any, position: int) -> NDArray[Any]:
        """Value of a constant input."""
        name = node.input[position]
        if name not in self.tensors:
            raise ConversionError(f"input {position} of node {label(node)} must be a constant")
        return self.tensors[name]

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Keep a float32 constant under a free name; returns the name."""
        free = self.free(name)
        self.constants[free] = np.array(value, dtype=np.float32, order="C")
        return free

    def free(self, name: str) -> str:
        """The name, or a numbered one where it is taken."""
        candidate, number = name, 1
        while candidate in self.taken:
            candidate, number = f"{name}_{number}", number + 1
        self.taken.add(candidate)
        return candidate

    def emit(
        self,
        node: Any,
        operation: str,
        inputs: list[str],
        channels: int,
        attributes: Mapping[str, Attribute] | None = None,
        name: str | None = None,
    ) -> None:
        """Add the operation that gives the result of an ONNX node, named as the node unless told."""
        result = node.output[0]
        ports = {"features", *(value.name for value in self.graph.output)}
        name = self.free(result if result in ports else name or clean(node.name or result))
        self.nodes.append(Node(operation, name, tuple(inputs), attributes or {}))
        self.names[result] = name
        self.channels[name] = channels

    def fusable(self, node: Any) -> Node | None:
        """The convolution that an activation can become part of: the latest node, with no other use."""
        name = node.input[0]
        latest = self.nodes[-1] if self.nodes else None
        if (
            latest is None
            or latest.name != self.names.get(name)
            or self.uses[name] != 1
            or name == "features"
        ):
            return None
        return latest if latest.operation == "conv" and latest.attributes["activation"] == "none" else None


Handler = Callable[[Lowering, Any], None]  # adds what stands for one ONNX node


def attributes_of(node: Any) -> dict[str, Any]:
    """Attributes as Python values, text decoded."""
    import onnx

    found: dict[str, Any] = {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in found.items()}


def label(node: Any) -> str:
    """How a message names a node."""
    return repr(node.name or node.output[0])


def clean(name: str) -> str:
    """A name that tensorflow takes: letters, digits, and . _ / - after the first."""
    return re.sub("[^A-Za-z0-9._/-]", "_", name).lstrip("/_-") or "node"
