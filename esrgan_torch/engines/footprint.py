"""How much memory a network takes that nobody has described: by running it on small pictures and watching."""

import math
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _Watch(TorchDispatchMode):
    """Counts the bytes of all tensors that were made while it is on and are still there."""

    def __init__(self) -> None:
        super().__init__()
        self.live = 0
        self.peak = 0
        self._known: dict[int, weakref.finalize[Any, Any]] = {}

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        for leaf in tree_leaves((args, kwargs)):
            if isinstance(leaf, Tensor):
                self._see(leaf.untyped_storage(), counts=False)  # was there before, or is known
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._see(leaf.untyped_storage(), counts=True)
        self.peak = max(self.peak, self.live)
        return result

    def _see(self, storage: torch.UntypedStorage, *, counts: bool) -> None:
        key = id(storage)  # PyTorch keeps the object as long as the memory
        if key in self._known and self._known[key].alive:
            return
        size = storage.nbytes() if counts else 0
        self.live += size
        self._known[key] = weakref.finalize(storage, self._forget, size)

    def _forget(self, size: int) -> None:
        self.live -= size


def peak_bytes(run: Callable[[Tensor], Tensor], batch: Tensor) -> int:
    """The most memory that the tensors take which `run` makes of `batch`, its result included.

    What an operator takes inside, for its own time, is not seen.
    """
    with torch.inference_mode(), _Watch() as watch:
        result = run(batch)
        del result
    return watch.peak


class Growth:
    """Peak memory by pixels, as a power of their number through two measurements.

    Args:
        small, large: (pixels, bytes) of the two.
    """

    def __init__(self, small: tuple[int, int], large: tuple[int, int]) -> None:
        self._pixels, self._bytes = large
        ratio = math.log(large[1] / small[1]) / math.log(large[0] / small[0])
        # what does not grow is left out of account; attention over everything grows with the square
        self._power = min(max(ratio, 1.0), 2.0)

    def bytes(self, pixels: int) -> int:
        """Bytes for a picture of so many pixels."""
        return math.ceil(self._bytes * (pixels / self._pixels) ** self._power)
