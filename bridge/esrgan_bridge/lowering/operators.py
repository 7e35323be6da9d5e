"""The operators that can be lowered: one function each, which checks the form of a node and adds its equal.

Nearest enlargement by a whole factor stays one operation. Its equal, copies joined and shuffled by
depth_to_space, needs no size, and took 1386 ms where this took 30 ms (64 channels, 128x128, TF.js on wasm).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_bridge.errors import ConversionError
from esrgan_bridge.lowering.building import Handler, Lowering, attributes_of, clean, label
from esrgan_bridge.lowering.lowered import Attribute


def convolution(lowering: Lowering, node: Any) -> None:
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


def leaky_relu(lowering: Lowering, node: Any) -> None:
    """LeakyRelu, in the convolution before it where that has no other use."""
    alpha = float(attributes_of(node).get("alpha", 0.01))
    _activate(lowering, node, "leaky", {"alpha": alpha}, None)


def prelu(lowering: Lowering, node: Any) -> None:
    """PRelu with one slope a channel, in the convolution before it where that has no other use."""
    slopes = lowering.fixed(node, 1)
    channels = lowering.channels[lowering.data(node, 0)]
    if slopes.shape != (channels, 1, 1):
        raise ConversionError(
            f"node {label(node)} must have one slope a channel, shape ({channels}, 1, 1), not {slopes.shape}"
        )
    _activate(lowering, node, "prelu", {}, slopes.reshape(-1))


def _activate(
    lowering: Lowering,
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


def concatenation(lowering: Lowering, node: Any) -> None:
    """Concat along the channels."""
    axis = attributes_of(node)["axis"]
    if axis not in (1, -3):
        raise ConversionError(f"node {label(node)} joins along axis {axis}; only channels (1) can be joined")
    inputs = [lowering.data(node, position) for position in range(len(node.input))]
    total = sum(lowering.channels[name] for name in inputs)
    lowering.emit(node, "concat" if len(inputs) > 1 else "identity", inputs, total)


def elementwise(operation: str) -> Handler:
    """Add, Sub or Mul of two results of as many channels, or of a result and a constant number."""

    def handle(lowering: Lowering, node: Any) -> None:
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
            if operation == "subtract" and node.input[0] != names[0]:
                raise ConversionError(f"node {label(node)} takes a result from a constant; negate it instead")
            inputs.append(_number(lowering, number))
        lowering.emit(node, operation, inputs, channels)

    return handle


def sigmoid(lowering: Lowering, node: Any) -> None:
    """Sigmoid."""
    source = lowering.data(node, 0)
    lowering.emit(node, "sigmoid", [source], lowering.channels[source])


def _number(lowering: Lowering, value: NDArray[Any]) -> str:
    """Name of a constant number, kept once however often it is used."""
    for name, array in lowering.constants.items():
        if array.ndim == 0 and array == value.reshape(()):
            return name
    return lowering.constant("number", value.reshape(()))


def resize(lowering: Lowering, node: Any) -> None:
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
        and not given.get("antialias")
        and "axes" not in given
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


def depth_to_space(lowering: Lowering, node: Any) -> None:
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


def identity(lowering: Lowering, node: Any) -> None:
    """Identity, which gives a result a second name."""
    source = lowering.data(node, 0)
    lowering.emit(node, "identity", [source], lowering.channels[source])


TABLE: dict[str, Handler] = {
    "Conv": convolution,
    "LeakyRelu": leaky_relu,
    "PRelu": prelu,
    "Concat": concatenation,
    "Add": elementwise("add"),
    "Sub": elementwise("subtract"),
    "Sigmoid": sigmoid,
    "Mul": elementwise("multiply"),
    "Resize": resize,
    "DepthToSpace": depth_to_space,
    "Identity": identity,
}
