"""ONNX to the NHWC operations of `lowered`: one table, and an operator outside it stops the work.

Layout is changed once, in the constants: no transposition is left between input and output. Zero
padding becomes that of the convolution itself. An activation right after a convolution becomes part of it.

Nearest enlargement by a whole factor stays one operation. Its equal, copies joined and shuffled by
depth_to_space, needs no size, and took 1386 ms where this took 30 ms (64 channels, 128x128, TF.js on wasm).
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from esrgan_bridge.errors import ArtifactError, ConversionError, MissingRuntimeError
from esrgan_bridge.lowered import Attribute, Constants, LoweredGraph, Node

OPSETS = range(11, 18)  # in which the operators of the table mean the same


def lower(path: Path) -> LoweredGraph:
    """Read an ONNX file as written by `export_onnx`.

    Raises:
        ArtifactError: not an ONNX file, or a damaged one.
        ConversionError: an operator or a form of one that is not in the table, a fixed size of picture,
            another type than float32, or channels that do not fit; the message names the node.
        MissingRuntimeError: the package onnx is not installed.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise MissingRuntimeError('onnx is not installed: pip install "esrgan-torch[onnx]"') from error
    try:
        document = onnx.load(str(path))
        onnx.checker.check_model(document)
    except (DecodeError, onnx.checker.ValidationError) as error:
        raise ArtifactError(f"{path} is not a sound ONNX file: {error}") from error
    opsets = {str(entry.domain): int(entry.version) for entry in document.opset_import}
    opset = opsets.get("", opsets.get("ai.onnx", 0))
    if opset not in OPSETS:
        raise ConversionError(
            f"{path} has ONNX opset {opset}; from {OPSETS.start} to {OPSETS.stop - 1} can be lowered"
        )
    return _Lowering(document.graph).run()


class _Lowering:
    """The graph being built: `lower` makes one, feeds it every node, and takes the result."""

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

    def run(self) -> LoweredGraph:
        source, result = self._ports()
        self.names[source.name] = source.name
        self.taken.add(source.name)
        for node in self.graph.node:
            if node.op_type not in TABLE or node.domain not in ("", "ai.onnx"):
                known = ", ".join(sorted(TABLE))
                raise ConversionError(f"node {label(node)} is a {node.op_type}; the lowering knows {known}")
            TABLE[node.op_type](self, node)
        output = str(result.name)
        if self.names.get(output) != output:
            raise ConversionError(f"the output {result.name!r} is not the result of a node")
        if "features" not in self.channels:
            raise ConversionError('no tensor is named "features"; export the network with `export_onnx`')
        used = {name for node in self.nodes for name in node.inputs}
        constants = {name: array for name, array in self.constants.items() if name in used}
        return LoweredGraph(tuple(self.nodes), constants, self.channels, input=source.name, output=output)

    def _ports(self) -> tuple[Any, Any]:
        """Input and output of the graph, checked: one each, float32, any N, H and W."""
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
                f"input {source.name!r} is not float32; lower the float32 file and quantise its weights"
            )
        sizes = [dimension.dim_value for dimension in kind.shape.dim]
        if len(sizes) != 4 or sizes[1] < 1:
            raise ConversionError(f"input {source.name!r} must be (N, C, H, W) with C known, it has {sizes}")
        if sizes[0] or sizes[2] or sizes[3]:
            raise ConversionError(
                f"input {source.name!r} has the fixed size {'x'.join(map(str, sizes))}; export it with "
                "dynamic batch, height and width"
            )
        self.channels[source.name] = sizes[1]
        return source, self.graph.output[0]

    # what the table's functions use

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


def convolution(lowering: _Lowering, node: Any) -> None:
    """Conv: whole, undilated, padded so that a size divided by the stride is left."""
    given = attributes_of(node)
    weight = lowering.fixed(node, 1)
    if weight.ndim != 4 or weight.dtype != np.float32:
        raise ConversionError(f"the weight of node {label(node)} must be float32 of rank 4")
    outputs, inputs, height, width = weight.shape
    stride = given.get("strides", [1, 1])[0]
    pad = (height - stride) // 2
    form = (
        given.get("group", 1) == 1
        and given.get("strides", [1, 1]) == [stride, stride]
        and given.get("dilations", [1, 1]) == [1, 1]
        and height == width
        and height >= stride
        and (height - stride) % 2 == 0
        and given.get("pads", [0, 0, 0, 0]) == [pad] * 4
        and given.get("auto_pad", "NOTSET") == "NOTSET"
    )
    if not form:
        raise ConversionError(
            f"node {label(node)} is a convolution of another form: whole, square, undilated ones can be "
            f"lowered, with (kernel - stride) / 2 of padding; it has kernel {height}x{width} and {given}"
        )
    source = lowering.data(node, 0)
    if lowering.channels[source] != inputs:
        raise ConversionError(
            f"node {label(node)} takes {inputs} channels, and {source!r} has {lowering.channels[source]}"
        )
    has_bias = len(node.input) > 2 and node.input[2]
    bias = lowering.fixed(node, 2) if has_bias else np.zeros(outputs, np.float32)
    base = clean(node.name or node.output[0]).removesuffix("/Conv")
    filter_name = lowering.constant(f"{base}/weight", weight.transpose(2, 3, 1, 0))
    bias_name = lowering.constant(f"{base}/bias", bias)
    lowering.emit(
        node, "conv", [source, filter_name, bias_name], outputs, {"stride": stride, "activation": "none"}
    )


def leaky_relu(lowering: _Lowering, node: Any) -> None:
    """LeakyRelu, in the convolution before it where that has no other use."""
    alpha = float(attributes_of(node).get("alpha", 0.01))
    _activate(lowering, node, "leaky", {"alpha": alpha}, None)


def prelu(lowering: _Lowering, node: Any) -> None:
    """PRelu with one slope a channel, in the convolution before it where that has no other use."""
    slopes = lowering.fixed(node, 1)
    channels = lowering.channels[lowering.data(node, 0)]
    if slopes.shape != (channels, 1, 1):
        raise ConversionError(
            f"node {label(node)} must have one slope a channel, shape ({channels}, 1, 1), not {slopes.shape}"
        )
    _activate(lowering, node, "prelu", {}, slopes.reshape(-1))


def _activate(
    lowering: _Lowering,
    node: Any,
    kind: str,
    attributes: Mapping[str, Attribute],
    slopes: NDArray[Any] | None,
) -> None:
    source = lowering.data(node, 0)
    channels = lowering.channels[source]
    convolution_before = lowering.fusable(node)
    base = clean(node.name or node.output[0])
    extra = [] if slopes is None else [lowering.constant(f"{base}/slopes", slopes)]
    if convolution_before is None:
        lowering.emit(node, kind, [source, *extra], channels, attributes)
        return
    lowering.nodes.pop()
    lowering.taken.discard(convolution_before.name)
    del lowering.channels[convolution_before.name]
    fused = {**convolution_before.attributes, "activation": kind, **attributes}
    inputs = [*convolution_before.inputs, *extra]
    lowering.emit(node, "conv", inputs, channels, fused, name=convolution_before.name)


def concatenation(lowering: _Lowering, node: Any) -> None:
    """Concat along the channels."""
    axis = attributes_of(node)["axis"]
    if axis not in (1, -3):
        raise ConversionError(f"node {label(node)} joins along axis {axis}; only channels (1) can be joined")
    inputs = [lowering.data(node, position) for position in range(len(node.input))]
    total = sum(lowering.channels[name] for name in inputs)
    lowering.emit(node, "concat" if len(inputs) > 1 else "identity", inputs, total)


def elementwise(operation: str) -> Callable[[_Lowering, Any], None]:
    """Add or Mul of two results of as many channels, or of a result and a constant number."""

    def handle(lowering: _Lowering, node: Any) -> None:
        names = [name for name in node.input if name not in lowering.tensors]
        if not names:
            raise ConversionError(f"node {label(node)} computes with constants only; fold it before")
        inputs = [lowering.data(node, list(node.input).index(name)) for name in names]
        channels = lowering.channels[inputs[0]]
        if len(inputs) == 2 and lowering.channels[inputs[1]] != channels:
            raise ConversionError(
                f"node {label(node)} takes {channels} and {lowering.channels[inputs[1]]} channels"
            )
        if len(inputs) == 1:
            number = next(lowering.tensors[name] for name in node.input if name in lowering.tensors)
            if number.size != 1 or number.dtype != np.float32:
                raise ConversionError(f"the constant of node {label(node)} must be one float32 number")
            inputs.append(_number(lowering, number))
        lowering.emit(node, operation, inputs, channels)

    return handle


def _number(lowering: _Lowering, value: NDArray[Any]) -> str:
    """Name of a constant number, kept once however often it is used."""
    for name, array in lowering.constants.items():
        if array.ndim == 0 and array == value.reshape(()):
            return name
    return lowering.constant("number", value.reshape(()))


def resize(lowering: _Lowering, node: Any) -> None:
    """Resize to the nearest pixel by one constant whole factor."""
    given = attributes_of(node)
    has_scales = len(node.input) > 2 and node.input[2]
    scales = [float(value) for value in lowering.fixed(node, 2)] if has_scales else []
    factor = int(scales[2]) if len(scales) == 4 else 0
    form = (
        given.get("mode", "nearest") == "nearest"
        and given.get("coordinate_transformation_mode", "half_pixel") == "asymmetric"
        and given.get("nearest_mode", "round_prefer_floor") == "floor"
        and (len(node.input) < 4 or not node.input[3])
        and factor >= 1
        and scales == [1.0, 1.0, factor, factor]
    )
    if not form:
        raise ConversionError(
            f"node {label(node)} must enlarge to the nearest pixel (asymmetric, floor) by one constant whole "
            f"factor; it has scales {scales} and {given}"
        )
    source = lowering.data(node, 0)
    channels = lowering.channels[source]
    lowering.emit(node, "enlarge", [source], channels, {"factor": factor})


def depth_to_space(lowering: _Lowering, node: Any) -> None:
    """DepthToSpace in mode DCR."""
    given = attributes_of(node)
    size = given["blocksize"]
    source = lowering.data(node, 0)
    channels = lowering.channels[source]
    if given.get("mode", "DCR") != "DCR" or channels % size**2:
        raise ConversionError(
            f"node {label(node)} must be in mode DCR with channels that {size**2} divides; it has {channels} "
            f"and {given}"
        )
    lowering.emit(node, "depth_to_space", [source], channels // size**2, {"size": size})


def identity(lowering: _Lowering, node: Any) -> None:
    """Identity, which gives a result a second name."""
    source = lowering.data(node, 0)
    lowering.emit(node, "identity", [source], lowering.channels[source])


TABLE: dict[str, Callable[[_Lowering, Any], None]] = {
    "Conv": convolution,
    "LeakyRelu": leaky_relu,
    "PRelu": prelu,
    "Concat": concatenation,
    "Add": elementwise("add"),
    "Mul": elementwise("multiply"),
    "Resize": resize,
    "DepthToSpace": depth_to_space,
    "Identity": identity,
}


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
