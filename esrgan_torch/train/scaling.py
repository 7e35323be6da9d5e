"""Scaled losses for float16, whose smallest numbers gradients would fall below."""

from typing import Any, cast

import torch
from torch import Tensor

from esrgan_torch.errors import TrainingError

LEAST = 2.0**-14
"""A scale below this means that gradients overflow however small the loss is made."""


class Scaler:
    """A loss is multiplied before its gradients are taken, and they are divided before the weights move.

    A step whose gradients overflow moves nothing, and the scale is halved; it is doubled after 2,000 good
    steps (Micikevicius et al. 2018). In other precisions than float16 it does nothing.

    Args:
        precision: of the run.

    Attributes:
        active: whether it does anything.
    """

    def __init__(self, precision: str) -> None:
        self.active = precision == "float16"
        self._scaler: Any = None
        self._state: dict[str, Any] = {}

    def to(self, device: torch.device) -> "Scaler":
        """Put it where the run computes; before the first step."""
        if self.active:
            self._scaler = torch.amp.GradScaler(device.type)
            if self._state:
                self._scaler.load_state_dict(self._state)
        return self

    def scaled(self, loss: Tensor) -> Tensor:
        """The loss to take the gradients of."""
        return self._scaler.scale(loss) if self.active else loss

    def unscale(self, optimiser: torch.optim.Optimizer) -> None:
        """Bring the gradients to their own size, so that they can be clipped."""
        if self.active:
            self._scaler.unscale_(optimiser)

    def step(self, optimiser: torch.optim.Optimizer) -> None:
        """Move the weights, unless a gradient is not finite.

        Raises:
            TrainingError: the gradients overflow at every scale.
        """
        if not self.active:
            optimiser.step()
            return
        self._scaler.step(optimiser)
        self._scaler.update()
        if cast(float, self._scaler.get_scale()) < LEAST:
            raise TrainingError(
                "the gradients are too large for float16 even with the smallest loss scale; take "
                "precision=bfloat16 or float32, or a lower optimiser.rate"
            )

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return self._scaler.state_dict() if self._scaler is not None else self._state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Of a checkpoint; before or after `to`."""
        self._state = state
        if self._scaler is not None:
            self._scaler.load_state_dict(state)
