"""CUDA graphs of PyTorch's own operators, for pictures so small that launching takes longer than computing.

A trunk of RRDB-23 is some 700 launches, 5 to 10 microseconds each; replaying a graph is one.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from esrgan_torch.engines.cuda_graphs import capture

log = logging.getLogger("esrgan_torch")

LIMIT = 8  # shapes


class Replay:
    """A function of one tensor, replayed for shapes that come again.

    The first call of a shape computes, the second captures. All graphs take their temporary memory from one
    pool: they run one after the other, and what they give is copied out. Where capturing fails, that is told
    and everything is computed as if this were not here.

    Args:
        function: computes on the current CUDA device, the same for the same shape; reads nothing back.
    """

    def __init__(self, function: Callable[[Tensor], Tensor], limit: int = LIMIT) -> None:
        self._function = function
        self._limit = limit
        self._kept: OrderedDict[torch.Size, _Captured | None] = OrderedDict()
        self._pool: Any = None
        self._works = True

    def __call__(self, given: Tensor) -> Tensor:
        """What the function gives, in memory of its own. One caller at a time."""
        if not self._works:
            return self._function(given)
        if given.shape not in self._kept:
            result = self._function(given)
            self._keep(given.shape, None)
            return result
        captured = self._kept[given.shape]
        if captured is None:
            captured = self._capture(given)
            if captured is None:
                return self._function(given)
        self._keep(given.shape, captured)
        captured.given.copy_(given)
        captured.graph.replay()
        return captured.result.clone()

    def clear(self) -> bool:
        """Give up all graphs and their memory; False where there were none."""
        held = any(captured is not None for captured in self._kept.values())
        self._kept.clear()
        self._pool = None
        return held

    def _capture(self, given: Tensor) -> "_Captured | None":
        copy = given.clone()
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        results: list[Tensor] = []
        try:
            graph = capture(lambda: results.append(self._function(copy)), self._pool)
        except torch.OutOfMemoryError:
            self.clear()
            raise
        except RuntimeError as error:
            log.warning("no CUDA graphs here, which costs time for small pictures only: %s", error)
            self.clear()
            self._works = False
            return None
        return _Captured(graph, copy, results[0])

    def _keep(self, shape: torch.Size, captured: "_Captured | None") -> None:
        self._kept[shape] = captured
        self._kept.move_to_end(shape)
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)


class _Captured:
    """A graph with the memory that it reads and writes."""

    def __init__(self, graph: torch.cuda.CUDAGraph, given: Tensor, result: Tensor) -> None:
        self.graph = graph
        self.given = given
        self.result = result
