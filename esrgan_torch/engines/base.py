"""Networks as they run: a copy of the weights on a device, in a precision, in the fastest layout found.

An engine computes the same as the network it is made from, up to rounding; in the half precisions the
residual stream stays in float32. Which one runs is decided in `esrgan_torch.engines.choose`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from esrgan_torch.engines.computing import computing
from esrgan_torch.engines.rows import RowTrunk
from esrgan_torch.networks.base import Generator
from esrgan_torch.watch import Progress

if TYPE_CHECKING:
    from esrgan_torch.engines.choose import Choice

WholeNumbers = NDArray[np.uint8 | np.uint16]
Layer = Callable[[Tensor], Tensor]
Network = TypeVar("Network", bound=nn.Module)


class Engine(ABC):
    """A network ready to run on one device in one precision; batches have one picture.

    What a kind of engine computes stands in `_trunk` and `_tail`; around them float32 is float32 and the
    device is the current one.
    """

    choice: "Choice"  # which kind of engine this is, and why; set by `esrgan_torch.engines.choose`

    def __init__(self, model: Generator, device: torch.device, dtype: torch.dtype) -> None:
        self.device = device
        self.dtype = dtype
        self.scale = model.scale
        self.unshuffle = model.unshuffle

    def trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        """(1, C, H, W) float32 in [0, 1] on the device -> features, see `Generator.trunk`.

        `progress` is told the share of the trunk that is done, from 0 to 1; what it raises ends the trunk.
        """
        with computing(self.device):
            return self._trunk(batch, progress)

    def tail(self, features: Tensor) -> Tensor:
        """Features (1, F, h, w) of `trunk`, or a part of them -> (1, C, H, W) float32, not clamped."""
        with computing(self.device):
            return self._tail(features)

    def tail_pixels(self, features: Tensor, pixels: WholeNumbers) -> bool | None:
        """The tail, rounded into a part of a picture: (H, W, C) of whole numbers, contiguous pixels.

        Returns whether all values are finite; None, and nothing is written, where this engine does not.
        """
        return None

    def by_rows(self) -> RowTrunk | None:
        """The trunk for pictures that do not fit in memory, where this engine has one."""
        return None

    @abstractmethod
    def _trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        """As `trunk`."""

    @abstractmethod
    def _tail(self, features: Tensor) -> Tensor:
        """As `tail`."""

    @abstractmethod
    def trunk_bytes(self, height: int, width: int) -> int:
        """Device memory that `trunk` takes at its peak for height x width input pixels, result included."""

    @abstractmethod
    def tail_bytes(self, height: int, width: int) -> int:
        """Device memory that `tail` takes at its peak for height x width feature pixels."""

    def shrink(self) -> bool:
        """Use less temporary memory in the trunk from now on; False when it cannot be less."""
        return False


def channels_last(network: Network) -> Network:
    """The same network with its convolutions' weights in the layout that the CPU and CUDA compute faster."""
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network
