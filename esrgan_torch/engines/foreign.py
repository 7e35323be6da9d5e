"""The engine for networks of other projects: their own class, as it is."""

import copy
from functools import cached_property

import torch
from torch import Tensor

from esrgan_torch.arithmetic import round_up
from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.devices import is_out_of_memory
from esrgan_torch.engines.footprint import Growth, peak_bytes
from esrgan_torch.errors import ConfigError, UpscaleError
from esrgan_torch.networks.foreign import ForeignNetwork
from esrgan_torch.watch import Progress

PROBE = 32  # pixels a side of the smaller picture by which memory is measured; the other has twice as many
ROOM = 1.5  # for what operators take inside: measured peaks were within 1.2 of what is seen
LEAST = 64 * 2**20  # bytes: what the libraries take for small pictures too


class ForeignEngine(Engine):
    """A `ForeignNetwork` on a device in a precision that its class knows to work."""

    def __init__(self, model: ForeignNetwork, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(model, device, dtype)
        if dtype not in model.dtypes:
            known = ", ".join(str(known).removeprefix("torch.") for known in model.dtypes)
            asked = str(dtype).removeprefix("torch.")
            raise ConfigError(f"{model.architecture} runs in {known}, not in {asked}")
        self._network = copy.deepcopy(model).to(device, dtype).requires_grad_(False)
        self._in_channels = model.in_channels
        self._out_values = model.out_channels * model.scale**2

    def _trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        try:
            features = self._network.trunk(batch.to(self.dtype)).float()
        except Exception as error:  # a class of others fails in any way
            if isinstance(error, RuntimeError) and is_out_of_memory(error):
                raise
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            height, width = batch.shape[-2:]
            raise UpscaleError(
                f"{self._network.architecture} fails in {self._network.runner} at {width}x{height} pixels: "
                f"{reason}"
            ) from error
        progress(1.0)
        return features

    def _tail(self, features: Tensor) -> Tensor:
        return self._network.tail(features)

    @cached_property
    def _growth(self) -> Growth:
        """Measured at the first question: it takes as long as a picture of 80x80 pixels."""
        small, large = (self._measured(size) for size in (PROBE, 2 * PROBE))
        return Growth(small, large)

    def _measured(self, size: int) -> tuple[int, int]:
        """(pixels, bytes) of a square picture of at least `size` pixels a side."""
        side = round_up(size, self.unshuffle) * (size // PROBE if self.unshuffle > PROBE else 1)
        batch = torch.full((1, self._in_channels, side, side), 0.5, device=self.device)
        return side * side, peak_bytes(lambda picture: self.trunk(picture, _ignore), batch)

    def trunk_bytes(self, height: int, width: int) -> int:
        return LEAST + int(ROOM * self._growth.bytes(height * width))

    def tail_bytes(self, height: int, width: int) -> int:
        return 2 * 4 * self._out_values * height * width * self.unshuffle**2


def _ignore(_: float) -> None:
    """A measurement has no progress."""
