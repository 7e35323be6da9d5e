"""The ncnn graph of an RRDBNet or a CompactNet, as the official files have it."""

from collections.abc import Mapping, Sequence
from math import prod

from esrgan_torch.networks.compact import CompactNetConfig
from esrgan_torch.networks.rrdb import RESIDUAL_SCALE, SLOPE, RRDBNetConfig
from esrgan_weights.checkpoint import Config
from esrgan_weights.layouts import BASICSR, compact_modules
from esrgan_weights.ncnn_graph import Layer, Option, with_splits
from esrgan_weights.shapes import Shapes, shapes_of

INPUT, OUTPUT = "data", "output"


def ncnn_graph(config: Config) -> list[Layer]:
    """The layers of the network of that configuration; a layer with weights has the module's name."""
    graph = _Graph(shapes_of(config))
    if isinstance(config, RRDBNetConfig):
        _rrdb(graph, config)
    else:
        _compact(graph, config)
    last = graph.layers[-1]
    graph.layers[-1] = Layer(last.kind, last.name, last.inputs, (OUTPUT,), last.options)
    return with_splits(graph.layers)


class _Graph:
    """Layers in the making; each method adds one and returns the name of the value it gives."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.layers = [Layer("Input", "input", (), (INPUT,))]

    def add(self, kind: str, name: str, inputs: Sequence[str], options: Mapping[int, Option]) -> str:
        self.layers.append(Layer(kind, name, tuple(inputs), (name,), options))
        return name

    def convolution(self, name: str, value: str, *, activate: bool = False) -> str:
        weight = self.shapes[f"{name}.weight"]
        options: dict[int, Option] = {0: weight[0], 1: 3, 4: 1, 5: 1, 6: prod(weight)}
        if activate:
            options |= {9: 2, 10: (SLOPE,)}
        return self.add("Convolution", name, [value], options)

    def residual(self, name: str, value: str, identity: str) -> str:
        return self.add("Eltwise", name, [value, identity], {0: 1, 1: (RESIDUAL_SCALE, 1.0)})


def _rrdb(graph: _Graph, config: RRDBNetConfig) -> None:
    modules = iter(BASICSR.modules(config.blocks, config.upsamplings))
    value = INPUT
    if config.unshuffle > 1:
        value = graph.add("Reorg", "unshuffle", [value], {0: config.unshuffle})
    first = value = graph.convolution(next(modules), value)
    for block in range(config.blocks):
        entry = value
        for dense in (1, 2, 3):
            outputs = [value]
            for conv in (1, 2, 3, 4):
                name = f"dense.{block}.{dense}.{conv}"
                joined = value if conv == 1 else graph.add("Concat", name, outputs, {0: 0})
                outputs.append(graph.convolution(next(modules), joined, activate=True))
            joined = graph.add("Concat", f"dense.{block}.{dense}.5", outputs, {0: 0})
            result = graph.convolution(next(modules), joined)
            value = graph.residual(f"residual.{block}.{dense}", result, value)
        value = graph.residual(f"residual.{block}", value, entry)
    body = graph.convolution(next(modules), value)
    value = graph.add("BinaryOp", "skip", [first, body], {0: 0})
    for step in range(1, config.upsamplings + 1):
        value = graph.add("Interp", f"nearest.{step}", [value], {0: 1, 1: 2.0, 2: 2.0})
        value = graph.convolution(next(modules), value, activate=True)
    value = graph.convolution(next(modules), value, activate=True)
    graph.convolution(next(modules), value)


def _compact(graph: _Graph, config: CompactNetConfig) -> None:
    value = INPUT
    for module, kinds in compact_modules(config.convolutions):
        if len(kinds) == 1:
            value = graph.add("PReLU", module, [value], {0: config.features})
        else:
            value = graph.convolution(module, value)
    value = graph.add("PixelShuffle", "shuffle", [value], {0: config.scale})
    scale = float(config.scale)
    nearest = graph.add("Interp", "nearest", [INPUT], {0: 1, 1: scale, 2: scale})
    graph.add("BinaryOp", "skip", [value, nearest], {0: 0})
