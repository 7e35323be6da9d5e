"""An ncnn graph in the making."""

from collections.abc import Mapping, Sequence
from math import prod

from esrgan_torch.engines.ncnn.graph import Layer, Option, with_splits
from esrgan_torch.networks.rrdb import RESIDUAL_SCALE, SLOPE

INPUT, OUTPUT = "data", "output"


class Graph:
    """Layers in the making; each method adds one and returns the name of the value it gives."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.shapes = shapes
        self.layers = [Layer("Input", "input", (), (INPUT,))]

    def add(self, kind: str, name: str, inputs: Sequence[str], options: Mapping[int, Option]) -> str:
        self.layers.append(Layer(kind, name, tuple(inputs), (name,), options))
        return name

    def split(self, name: str, value: str, channels: int) -> list[str]:
        """Each channel as a value of its own."""
        planes = [f"{name}.{channel}" for channel in range(channels)]
        self.layers.append(Layer("Slice", name, (value,), tuple(planes), {0: (1,) * channels, 1: 0}))
        return planes

    def convolution(self, name: str, value: str, *, activate: bool = False) -> str:
        weight = self.shapes[f"{name}.weight"]
        side = weight[2]
        options: dict[int, Option] = {0: weight[0], 1: side, 4: side // 2, 5: 1, 6: prod(weight)}
        if activate:
            options |= {9: 2, 10: (SLOPE,)}
        return self.add("Convolution", name, [value], options)

    def residual(self, name: str, value: str, identity: str) -> str:
        return self.add("Eltwise", name, [value, identity], {0: 1, 1: (RESIDUAL_SCALE, 1.0)})

    def finished(self) -> list[Layer]:
        """The layers in the form that ncnn asks for; the last one gives the graph's result."""
        *rest, last = self.layers
        return with_splits([*rest, Layer(last.kind, last.name, last.inputs, (OUTPUT,), last.options)])
