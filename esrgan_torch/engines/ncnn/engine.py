"""Networks by ncnn on a Vulkan device: GPUs of AMD, Intel and Apple, and of NVIDIA where PyTorch has no CUDA.

The graphs are those that `esrgan weights convert --to ncnn` writes, trunk and tail apart; borders are zeros,
as in PyTorch, so tiles are exact. Float32 alone. Pictures and features stay in the host's memory: to all that
surrounds it the engine computes on the CPU.
"""

from collections.abc import Callable
from itertools import islice
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.compact import CompactEngine
from esrgan_torch.engines.computing import CPU
from esrgan_torch.engines.ncnn.draw_compact import draw_compact_body
from esrgan_torch.engines.ncnn.draw_rrdb import draw_rrdb_tail, draw_rrdb_trunk
from esrgan_torch.engines.ncnn.draw_span import draw_span_trunk
from esrgan_torch.engines.ncnn.drawing import INPUT, Graph
from esrgan_torch.engines.ncnn.net import Net
from esrgan_torch.engines.plain import PlainEngine
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RRDBNet
from esrgan_torch.networks.span import SPAN
from esrgan_torch.watch import Progress

LEAST = 64 * 2**20  # bytes: its allocators take blocks of 16 MB for small pictures too


class NcnnRRDBEngine(Engine):
    """RRDBNet: trunk and tail are two graphs."""

    def __init__(self, model: RRDBNet, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(model, CPU, dtype)
        config = model.config
        self._features, self._growth, self._outputs = config.features, config.growth, model.out_channels
        tensors = _tensors(model)
        names = _modules(tensors)
        in_trunk = 2 + 15 * config.blocks
        self._run_trunk = _net(tensors, device, lambda graph: draw_rrdb_trunk(graph, config, iter(names)))
        rest = islice(names, in_trunk, None)
        self._run_tail = _net(tensors, device, lambda graph: draw_rrdb_tail(graph, config, rest, INPUT))

    def _trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        return _through(self._run_trunk, batch, progress)

    def _tail(self, features: Tensor) -> Tensor:
        return _through(self._run_tail, features, _ignore)

    def trunk_bytes(self, height: int, width: int) -> int:
        # the stream, where it began twice over; a dense block's maps, what joins them, and both in the form
        # of Winograd's products, which is 2.25 times as large
        maps = 5 * self._features + 5 * (self._features + 4 * self._growth)
        return LEAST + 4 * maps * height * width // self.unshuffle**2

    def tail_bytes(self, height: int, width: int) -> int:
        enlarged = (self.scale * self.unshuffle) ** 2
        return LEAST + 4 * (3 * self._features + self._outputs) * height * width * enlarged


class NcnnCompactEngine(CompactEngine):
    """CompactNet: the body is a graph; the enlarged picture is added and pixels are shuffled by PyTorch."""

    def __init__(self, model: CompactNet, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(model, CPU, dtype)
        tensors = _tensors(model)
        modules = _modules(tensors)
        self._run = _net(tensors, device, lambda graph: draw_compact_body(graph, model.config, modules))

    def _trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        return self._add_skip(_through(self._run, batch, progress), batch)

    def trunk_bytes(self, height: int, width: int) -> int:
        # two maps, and both in the form of Winograd's products; what is added to
        values = 7 * self._channels + 2 * self._large
        return LEAST + 4 * values * height * width


class NcnnSPANEngine(PlainEngine):
    """SPAN: the trunk is a graph; pixels are shuffled by PyTorch."""

    def __init__(self, model: SPAN, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(model, CPU, dtype)
        self._run = _net(_tensors(model), device, lambda graph: draw_span_trunk(graph, model.config))

    def _trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        return _through(self._run, batch, progress)

    def trunk_bytes(self, height: int, width: int) -> int:
        return LEAST + super().trunk_bytes(height, width)


def _net(tensors: dict[str, Tensor], device: torch.device, draw: Callable[[Graph], object]) -> Net:
    graph = Graph({name: tuple(tensor.shape) for name, tensor in tensors.items()})
    draw(graph)
    return Net(graph.finished(), tensors, device.index or 0)


def _tensors(model: Generator) -> dict[str, Tensor]:
    return {name: tensor.detach().to(CPU, torch.float32) for name, tensor in model.state_dict().items()}


def _modules(tensors: dict[str, Tensor]) -> list[str]:
    """Each layer with weights, in the network's own order, which is that of its graph."""
    return [name.removesuffix(".weight") for name in tensors if name.endswith(".weight")]


def _through(net: Net, batch: Tensor, progress: Progress) -> Tensor:
    result = torch.from_numpy(net(cast("NDArray[np.float32]", batch[0].float().numpy())))[None]
    progress(1.0)
    return result


def _ignore(_: float) -> None:
    """A tail's progress is told when it is done."""
