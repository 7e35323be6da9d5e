"""The ncnn graph and numbers of an RRDBNet or a CompactNet, as the official files have them."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from esrgan_torch.config import CompactNetConfig, RRDBNetConfig
from esrgan_torch.generator import RESIDUAL_SCALE, SLOPE
from esrgan_weights.checkpoint import Config
from esrgan_weights.layouts import BASICSR, compact_modules
from esrgan_weights.ncnn_graph import Layer, Option, with_splits
from esrgan_weights.read_ncnn import FLOAT16, FLOAT32

INPUT, OUTPUT = "data", "output"


def ncnn_graph(config: Config, tensors: Mapping[str, Tensor]) -> list[Layer]:
    """The layers of the network with these tensors; a layer with weights has the module's name."""
    graph = _Graph(tensors)
    if isinstance(config, RRDBNetConfig):
        _rrdb(graph, config)
    else:
        _compact(graph, config)
    last = graph.layers[-1]
    graph.layers[-1] = Layer(last.kind, last.name, last.inputs, (OUTPUT,), last.options)
    return with_splits(graph.layers)


def ncnn_weights(layers: Sequence[Layer], tensors: Mapping[str, Tensor], *, half: bool) -> bytes:
    """The content of the `.bin`; `half` stores the convolutions' weights as float16."""
    content = bytearray()
    for layer in layers:
        if layer.kind == "Convolution":
            content += (FLOAT16 if half else FLOAT32).to_bytes(4, "little")
            content += _raw(tensors[f"{layer.name}.weight"], "<f2" if half else "<f4")
            content += bytes(-len(content) % 4)
            content += _raw(tensors[f"{layer.name}.bias"], "<f4")
        elif layer.kind == "PReLU":
            content += _raw(tensors[f"{layer.name}.weight"], "<f4")
    return bytes(content)


def _raw(tensor: Tensor, dtype: str) -> bytes:
    with np.errstate(over="ignore"):  # a weight beyond float16 becomes infinite, which reading back refuses
        return tensor.numpy().astype(dtype).tobytes()


class _Graph:
    """Layers in the making; each method adds one and returns the name of the value it gives."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.tensors = tensors
        self.layers = [Layer("Input", "input", (), (INPUT,))]

    def add(self, kind: str, name: str, inputs: Sequence[str], options: Mapping[int, Option]) -> str:
        self.layers.append(Layer(kind, name, tuple(inputs), (name,), options))
        return name

    def convolution(self, name: str, value: str, *, activate: bool = False) -> str:
        weight = self.tensors[f"{name}.weight"]
        options: dict[int, Option] = {0: weight.shape[0], 1: 3, 4: 1, 5: 1, 6: weight.numel()}
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
