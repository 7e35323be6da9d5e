"""CUDA graphs of the shapes that come again.

A trunk is 353 launches; from Python each takes 10 to 30 microseconds, which is more than a small picture's
computation. Replaying a graph costs one launch.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable

import torch

from esrgan_torch.engines.cuda_graphs import capture

# a picture's tail is cut into up to 9 shapes of tiles (corners, sides, inside)
LIMIT = 16


class Graphs:
    """The last `limit` sequences of launches, by a key that stands for all their addresses and sizes.

    What comes for the first time is launched one by one; the second time it is captured, since many shapes
    never come again. On other devices than CUDA everything is launched one by one.
    """

    def __init__(self, device: torch.device, limit: int = LIMIT) -> None:
        self._device = device
        self._limit = limit
        self._kept: OrderedDict[Hashable, torch.cuda.CUDAGraph | None] = OrderedDict()

    def run(self, key: Hashable, launch: Callable[[], None]) -> None:
        """Do what `launch` does on the current stream; it must allocate nothing and read nothing back."""
        if self._device.type != "cuda":
            launch()
            return
        if key not in self._kept:
            launch()
            self._keep(key, None)
            return
        graph = self._kept[key]
        if graph is None:
            graph = capture(launch)
        self._keep(key, graph)
        graph.replay()

    def _keep(self, key: Hashable, graph: torch.cuda.CUDAGraph | None) -> None:
        self._kept[key] = graph
        self._kept.move_to_end(key)
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all: their memory is gone."""
        self._kept.clear()
