"""ncnn's `.param` files: the graph as text, and what it computes, layer by layer, in PyTorch.

Evaluating the graph on a small picture is how the reader knows that it is the network it takes it for,
and how the writer knows that its graph is right, however the layers are arranged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from esrgan_weights.errors import CheckpointError, UnknownArchitectureError

MAGIC = "7767517"
ARRAY = -23300  # the key of an array is this minus its number

Option = int | float | tuple[float, ...]


@dataclass(frozen=True)
class Layer:
    """One line of the graph: a layer, the values (blobs) it takes and gives, its numbered options."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: Mapping[int, Option] = field(default_factory=dict[int, Option])

    def whole(self, key: int, default: int = 0) -> int:
        """The option as a whole number."""
        value = self.options.get(key, default)
        return int(value) if not isinstance(value, tuple) else default

    def number(self, key: int, default: float = 0.0) -> float:
        """The option as a number."""
        value = self.options.get(key, default)
        return float(value) if not isinstance(value, tuple) else default

    def array(self, key: int) -> tuple[float, ...]:
        """The option as an array; empty if it is not there."""
        value = self.options.get(key, ())
        return value if isinstance(value, tuple) else ()


def parse(text: str) -> list[Layer]:
    """The layers of a `.param` file.

    Raises:
        CheckpointError: the text is not one, or is truncated.
    """
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if not lines or lines[0] != [MAGIC]:
        raise CheckpointError(f"it is not an ncnn .param file, whose first line is {MAGIC}")
    try:
        announced = int(lines[1][0])
        layers = [_parse_line(words) for words in lines[2:]]
    except (ValueError, IndexError) as error:
        raise CheckpointError("it is damaged: a line does not read as an ncnn layer") from error
    if len(layers) != announced or not layers:
        raise CheckpointError(f"it is truncated: {len(layers)} layers where {announced} are announced")
    if len({layer.name for layer in layers}) != len(layers):
        raise CheckpointError("it is damaged: two layers have the same name")
    return layers


def _parse_line(words: list[str]) -> Layer:
    kind, name = words[:2]
    middle, end = 4 + int(words[2]), 4 + int(words[2]) + int(words[3])
    if len(words) < end:
        raise ValueError(words)
    options: dict[int, Option] = {}
    for word in words[end:]:
        key, value = word.split("=")
        if int(key) <= ARRAY:
            options[ARRAY - int(key)] = tuple(float(item) for item in value.split(",")[1:])
        else:
            options[int(key)] = float(value) if "." in value or "e" in value else int(value)
    return Layer(kind, name, tuple(words[4:middle]), tuple(words[middle:end]), options)


def print_layers(layers: Sequence[Layer]) -> str:
    """The text of a `.param` file."""
    lines = [MAGIC, f"{len(layers)} {sum(len(layer.outputs) for layer in layers)}"]
    for layer in layers:
        words = [f"{layer.kind:<24} {layer.name:<24} {len(layer.inputs)} {len(layer.outputs)}"]
        words += [*layer.inputs, *layer.outputs]
        for key, value in layer.options.items():
            if isinstance(value, tuple):
                items = ",".join(f"{item:e}" for item in value)
                words.append(f"{ARRAY - key}={len(value)},{items}")
            else:
                words.append(f"{key}={value:e}" if isinstance(value, float) else f"{key}={value}")
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


def with_splits(layers: Sequence[Layer]) -> list[Layer]:
    """The same graph in the form that ncnn asks for: a value that is used n times is split first."""
    uses: dict[str, int] = {}
    for layer in layers:
        for value in layer.inputs:
            uses[value] = uses.get(value, 0) + 1
    result: list[Layer] = []
    taken: dict[str, int] = {}
    for layer in layers:
        inputs: list[str] = []
        for value in layer.inputs:
            if uses[value] > 1:
                taken[value] = taken.get(value, 0) + 1
                value = f"{value}_split_{taken[value] - 1}"
            inputs.append(value)
        result.append(replace(layer, inputs=tuple(inputs)))
        for value in layer.outputs:
            if uses.get(value, 0) > 1:
                copies = tuple(f"{value}_split_{number}" for number in range(uses[value]))
                result.append(Layer("Split", f"split_{value}", (value,), copies))
    return result


def evaluate(layers: Sequence[Layer], weights: Mapping[str, Sequence[Tensor]], batch: Tensor) -> Tensor:
    """What the graph makes of a batch.

    Args:
        layers: the graph; each layer stands after those that it takes values from.
        weights: tensors of the layers that have some, by the layer's name.
        batch: (N, C, H, W), for the graph's only input.

    Raises:
        UnknownArchitectureError: a layer is of no known kind.
        CheckpointError: a value is used before it is made.
    """
    values: dict[str, Tensor] = {}
    result = batch
    for layer in layers:
        if layer.kind == "Input":
            outputs: Sequence[Tensor] = (batch,)
        else:
            compute = KINDS.get(layer.kind)
            if compute is None:
                raise UnknownArchitectureError(
                    f"its graph has a layer of kind {layer.kind} ({layer.name}), which no network of this "
                    "project has"
                )
            try:
                inputs = [values[name] for name in layer.inputs]
            except KeyError as error:
                raise CheckpointError(f"{layer.name} uses the value {error}, which nothing makes") from error
            result = compute(layer, inputs, weights.get(layer.name, ()))
            outputs = [result] * len(layer.outputs)
        values.update(zip(layer.outputs, outputs, strict=False))
    return result


Compute = Callable[[Layer, list[Tensor], Sequence[Tensor]], Tensor]


def _convolution(layer: Layer, inputs: list[Tensor], weights: Sequence[Tensor]) -> Tensor:
    result = F.conv2d(inputs[0], weights[0], weights[1], padding=layer.whole(4))
    activation = layer.whole(9)
    if activation == 0:
        return result
    slope = layer.array(10)[0] if activation == 2 and layer.array(10) else 0.0
    if activation > 2:
        raise UnknownArchitectureError(f"{layer.name} has an activation of ncnn's kind {activation}")
    return F.leaky_relu(result, slope)


def _eltwise(layer: Layer, inputs: list[Tensor], weights: Sequence[Tensor]) -> Tensor:
    if layer.whole(0) != 1:
        raise UnknownArchitectureError(f"{layer.name} is not a sum")
    factors = layer.array(1) or (1.0,) * len(inputs)
    return torch.stack([value * factor for value, factor in zip(inputs, factors, strict=True)]).sum(0)


def _binary(layer: Layer, inputs: list[Tensor], weights: Sequence[Tensor]) -> Tensor:
    other = layer.number(2) if layer.whole(1) else inputs[1]
    if layer.whole(0) not in (0, 2):
        raise UnknownArchitectureError(f"{layer.name} is neither a sum nor a product")
    return inputs[0] + other if layer.whole(0) == 0 else inputs[0] * other


def _interp(layer: Layer, inputs: list[Tensor], weights: Sequence[Tensor]) -> Tensor:
    if layer.whole(0) != 1:
        raise UnknownArchitectureError(f"{layer.name} enlarges otherwise than by nearest neighbour")
    factor = (layer.number(1, 1.0), layer.number(2, 1.0))
    return F.interpolate(inputs[0], scale_factor=factor, mode="nearest")


def _relu(layer: Layer, inputs: list[Tensor], weights: Sequence[Tensor]) -> Tensor:
    return F.leaky_relu(inputs[0], layer.number(0))


KINDS: Mapping[str, Compute] = {
    "Convolution": _convolution,
    "Eltwise": _eltwise,
    "BinaryOp": _binary,
    "Interp": _interp,
    "ReLU": _relu,
    "Split": lambda layer, inputs, weights: inputs[0],
    "Concat": lambda layer, inputs, weights: torch.cat(inputs, dim=1),
    "PReLU": lambda layer, inputs, weights: F.prelu(inputs[0], weights[0]),
    "PixelShuffle": lambda layer, inputs, weights: F.pixel_shuffle(inputs[0], layer.whole(0, 1)),
    "Reorg": lambda layer, inputs, weights: F.pixel_unshuffle(inputs[0], layer.whole(0, 1)),
}
