"""What an ncnn graph computes, layer by layer, in NumPy: to tell whether it is the network it is taken for.

What the graph makes of a small picture is compared with what this project's own graph of the same network
makes of it, however the layers are arranged. Both with a few channels and random weights: it is the graph
that is in question, and its numbers have been counted already.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from esrgan_torch.engines.ncnn.graph import Layer
from esrgan_weights.architectures.registry import files_of, shapes_of
from esrgan_weights.checkpoint import Config, title_of
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError
from esrgan_weights.formats.ncnn.network import ncnn_graph

Values = npt.NDArray[np.float64]
Weights = Mapping[str, Sequence[Values]]

PROBE = 8  # pixels a side of the picture on which the graphs are compared; the unshuffle divides it
LARGEST = 1 << 24  # numbers that a graph may make of it, in all; the largest network makes a hundredth
TOLERANCE = 1e-6  # of the largest output; rounding gives 1e-14, one wrong slope or factor far more


def check_graph(layers: Sequence[Layer], modules: Sequence[str], config: Config) -> None:
    """Compare a graph with this project's own graph of the network.

    Args:
        layers: the graph.
        modules: this project's name of each layer that has weights, in the graph's order.
        config: the network.

    Raises:
        UnknownArchitectureError: they compute something else.
    """
    form = files_of(config).ncnn
    assert form is not None
    narrow: Config = form.narrow(config)
    weights = _random_weights(narrow)
    names = [layer.name for layer in layers if layer.kind in ("Convolution", "PReLU")]
    picture = np.random.default_rng(1).random((config.in_channels, PROBE, PROBE))
    expected = compute(ncnn_graph(narrow), weights, picture)
    try:
        found = compute(
            layers, {name: weights[module] for name, module in zip(names, modules, strict=True)}, picture
        )
    except (ArithmeticError, IndexError, TypeError, ValueError) as error:  # sizes that do not fit each other
        raise UnknownArchitectureError(f"its graph cannot be computed: {error}") from error
    if found.shape == expected.shape and np.isfinite(found).all():
        difference = float(np.abs(found - expected).max() / np.abs(expected).max())
        if difference <= TOLERANCE:
            return
        reason = f"on random weights their outputs differ by {difference:.2g} of the largest"
    else:
        reason = f"it makes {list(found.shape)} where the network makes {list(expected.shape)}"
    raise UnknownArchitectureError(
        f"its convolutions are those of {title_of(config)}, but its graph computes something else: {reason}"
    )


def _random_weights(config: Config) -> dict[str, tuple[Values, ...]]:
    """Weights of each module under which a picture keeps its size."""
    random = np.random.default_rng(0)
    weights: dict[str, tuple[Values, ...]] = {}
    for name, shape in shapes_of(config).items():
        module, _, kind = name.rpartition(".")
        gain = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.2
        weights[module] = (*weights.get(module, ()), random.standard_normal(shape) * gain)
        assert kind in ("weight", "bias")
    return weights


def compute(layers: Sequence[Layer], weights: Weights, picture: Values) -> Values:
    """What a graph makes of a picture.

    Args:
        layers: the graph; each layer stands after those that it takes values from.
        weights: of the layers that have some, by the layer's name.
        picture: (C, H, W), for the graph's only input.

    Raises:
        UnknownArchitectureError: a layer is of no known kind, or the graph makes too many numbers.
        CheckpointError: a value is used before it is made.
        ValueError, IndexError: sizes do not fit each other.
    """
    values: dict[str, Values] = {}
    results: Sequence[Values] = (picture,)
    made = 0
    for layer in layers:
        if layer.kind == "Input":
            results = (picture,)
        else:
            operation = KINDS.get(layer.kind)
            if operation is None:
                raise UnknownArchitectureError(
                    f"its graph has a layer of kind {layer.kind} ({layer.name}), which no network of this "
                    "project has"
                )
            try:
                inputs = [values[name] for name in layer.inputs]
            except KeyError as error:
                raise CheckpointError(f"{layer.name} uses the value {error}, which no layer makes") from error
            made += _largest(layer, inputs, weights.get(layer.name, ()))
            if made > LARGEST:
                raise UnknownArchitectureError(
                    f"its graph makes more than {LARGEST:,} numbers of {PROBE}x{PROBE} pixels "
                    f"({layer.name}), which no network of this project does"
                )
            if layer.kind == "Slice":
                results = _slices(layer, inputs)
            else:
                results = [operation(layer, inputs, weights.get(layer.name, ()))] * len(layer.outputs)
        values.update(zip(layer.outputs, results, strict=False))
    return results[-1]


def _largest(layer: Layer, inputs: list[Values], weights: Sequence[Values]) -> int:
    """How many numbers a layer makes at most, before it makes them."""
    if layer.kind == "Split" or not inputs:
        return 0
    size = sum(value.size for value in inputs)
    if layer.kind == "Interp":
        return int(size * max(layer.number(1, 1.0), 1.0) * max(layer.number(2, 1.0), 1.0))
    if layer.kind in ("Eltwise", "BinaryOp"):  # one value may be repeated to the size of another
        return int(np.prod(np.broadcast_shapes(*(value.shape for value in inputs)), dtype=np.float64))
    if weights:  # its outputs, each of the inputs' height and width
        return max(len(weights[0]), len(inputs[0])) * size // max(len(inputs[0]), 1)
    return size


Compute = Callable[[Layer, list[Values], Sequence[Values]], Values]


def _convolution(layer: Layer, inputs: list[Values], weights: Sequence[Values]) -> Values:
    weight, bias = weights
    padding = layer.whole(4)
    padded = np.pad(inputs[0], ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (len(padded), *weight.shape[2:]))[0]
    # einsum without its optimiser is one plain loop; a matrix product would be dealt out to threads
    result = np.einsum("oikl,hwikl->ohw", weight, windows) + bias[:, None, None]
    activation = layer.whole(9)
    if activation == 0:
        return result
    if activation > 2:
        raise UnknownArchitectureError(f"{layer.name} has an activation of ncnn's kind {activation}")
    slope = layer.array(10)[0] if activation == 2 and layer.array(10) else 0.0
    return _leaky(result, slope)


def _leaky(values: Values, slope: float | Values) -> Values:
    return np.where(values < 0, values * slope, values)


def _eltwise(layer: Layer, inputs: list[Values], weights: Sequence[Values]) -> Values:
    if layer.whole(0) != 1:
        raise UnknownArchitectureError(f"{layer.name} is not a sum")
    factors = layer.array(1) or (1.0,) * len(inputs)
    return np.sum([value * factor for value, factor in zip(inputs, factors, strict=True)], axis=0)


def _binary(layer: Layer, inputs: list[Values], weights: Sequence[Values]) -> Values:
    other = layer.number(2) if layer.whole(1) else inputs[1]
    operation = BINARY.get(layer.whole(0))
    if operation is None:
        raise UnknownArchitectureError(f"{layer.name} is neither a sum, a difference nor a product")
    return operation(inputs[0], other)


def _sigmoid(values: Values) -> Values:
    return 0.5 + 0.5 * np.tanh(0.5 * values)  # which no value makes too large


def _slices(layer: Layer, inputs: list[Values]) -> list[Values]:
    """The channels, dealt out to several values."""
    sizes = [int(size) for size in layer.array(0)]
    if layer.whole(1) or len(sizes) != len(layer.outputs) or sum(sizes) != len(inputs[0]) or min(sizes) < 1:
        raise UnknownArchitectureError(
            f"{layer.name} does not divide the channels of its input among its outputs"
        )
    return np.split(inputs[0], np.cumsum(sizes)[:-1])


def _interp(layer: Layer, inputs: list[Values], weights: Sequence[Values]) -> Values:
    factors = layer.number(1, 1.0), layer.number(2, 1.0)
    if layer.whole(0) != 1 or any(factor < 1 or factor != int(factor) for factor in factors):
        raise UnknownArchitectureError(f"{layer.name} does not enlarge by nearest neighbour")
    return inputs[0].repeat(int(factors[0]), axis=1).repeat(int(factors[1]), axis=2)


def _shuffle(layer: Layer, inputs: list[Values], weights: Sequence[Values]) -> Values:
    factor = layer.whole(0, 1)
    channels, height, width = inputs[0].shape
    parts = inputs[0].reshape(channels // factor**2, factor, factor, height, width)
    return parts.transpose(0, 3, 1, 4, 2).reshape(-1, height * factor, width * factor)


def _unshuffle(layer: Layer, inputs: list[Values], weights: Sequence[Values]) -> Values:
    factor = layer.whole(0, 1)
    channels, height, width = inputs[0].shape
    parts = inputs[0].reshape(channels, height // factor, factor, width // factor, factor)
    return parts.transpose(0, 2, 4, 1, 3).reshape(-1, height // factor, width // factor)


BINARY: Mapping[int, Callable[[Values, Values | float], Values]] = {
    0: np.add,
    1: np.subtract,
    2: np.multiply,
}
KINDS: Mapping[str, Compute] = {
    "Convolution": _convolution,
    "Eltwise": _eltwise,
    "BinaryOp": _binary,
    "Interp": _interp,
    "ReLU": lambda layer, inputs, weights: _leaky(inputs[0], layer.number(0)),
    "Split": lambda layer, inputs, weights: inputs[0],
    "Concat": lambda layer, inputs, weights: np.concatenate(inputs),
    "PReLU": lambda layer, inputs, weights: _leaky(inputs[0], weights[0][:, None, None]),
    "PixelShuffle": _shuffle,
    "Reorg": _unshuffle,
    "Sigmoid": lambda layer, inputs, weights: _sigmoid(inputs[0]),
    "Swish": lambda layer, inputs, weights: inputs[0] * _sigmoid(inputs[0]),
    "Slice": lambda layer, inputs, weights: inputs[0],  # one of several results, see `_slices`
}
