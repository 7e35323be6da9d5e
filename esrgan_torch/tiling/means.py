"""What a picture is computed with, and how it went."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.choose_rows import RowEngine
from esrgan_torch.images.luma import luma
from esrgan_torch.networks.base import Generator


@dataclass(frozen=True)
class Means:
    """What a picture is computed with.

    Args:
        model: sizes of the network.
        engine: runs it.
        exact_engine: makes the float32 engine that repeats a tile; called at the first need.
        divisible: whether a window that does not fit may be divided into overlapping ones.
        row_engine: gives the engine by rows, where a plan asks for it.
    """

    model: Generator
    engine: Engine
    exact_engine: Callable[[], Engine]
    divisible: bool
    row_engine: Callable[[], RowEngine | None] = lambda: None


@dataclass
class Course:
    """How it went with a picture so far.

    Args:
        redone: tiles that were computed again in float32.
        divided: tiles that did not fit in memory.
        exact: whether no window was divided into less than what the network sees.
    """

    redone: int = 0
    divided: int = 0
    exact: bool = True


class GrayThroughColour:
    """A plane of one channel as a network for colour takes and gives it."""

    def grow(self, batch: Tensor) -> Tensor:
        return batch.expand(-1, 3, -1, -1)

    def shrink(self, batch: Tensor) -> Tensor:
        return luma(batch.clamp(0, 1))
