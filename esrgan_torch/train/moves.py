"""One step: the losses of a batch, their gradients, the weights moved."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from esrgan_torch.errors import TrainingError
from esrgan_torch.train.assemble import Parts
from esrgan_torch.train.options import Options
from esrgan_torch.train.scaling import Scaler
from esrgan_torch.train.steps import Objective, discriminator_step, generator_step

LARGEST_RESULT = 100.0
"""Pictures lie from 0 to 1; results with a mean absolute value beyond this come from a run that diverges."""

LARGEST_JUDGEMENT = 1e4
"""A discriminator's loss beyond this comes from logits that grow without bound."""

_DTYPES = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}
Names = Callable[[int], list[str]]


class Mover:
    """What one step needs.

    Args:
        options: the recipe.
        folder: of the run; a batch that ends it is kept there.
        accelerator: puts the networks on its device and shares the gradients.
        parts: what moves.
        objective: the generator's losses.
    """

    def __init__(
        self, options: Options, folder: Path, accelerator: Any, parts: Parts, objective: Objective
    ) -> None:
        self.options, self.folder, self.accelerator = options, folder, accelerator
        self.parts, self.objective = parts, objective
        if options.compiled:
            parts.generator.compile()  # in place: the names of its weights stay
        self.generator: nn.Module
        self.generator, self.optimiser = accelerator.prepare(parts.generator, parts.optimiser)
        self.judge: nn.Module | None = None
        self.judge_optimiser: Any = None
        if parts.judge is not None:
            self.judge, self.judge_optimiser = accelerator.prepare(parts.judge, parts.judge_optimiser)
        for scaler in parts.scalers:
            scaler.to(accelerator.device)

    def step(self, step: int, rate: float, small: Tensor, large: Tensor, names: Names) -> dict[str, float]:
        """Move the weights once; the losses as numbers.

        Args:
            step: its number, 0 for the first.
            rate: learning rate.
            small, large: the batch.
            names: of a step's pictures, for messages.

        Raises:
            TrainingError: the run diverges, or the batch is too large for the device.
        """
        try:
            return self._step(step, rate, small, large, names)
        except torch.OutOfMemoryError as error:
            raise TrainingError(
                f"step {step}: the memory of {self.accelerator.device} cannot hold a batch of "
                f"{len(small)} crops of {large.shape[-1]} pixels; take a smaller data.batch or data.patch, "
                "or precision=bfloat16"
            ) from error

    def _step(self, step: int, rate: float, small: Tensor, large: Tensor, names: Names) -> dict[str, float]:
        device = self.accelerator.device
        small = small.to(device, memory_format=torch.channels_last)
        large = large.to(device, memory_format=torch.channels_last)
        if self.judge is not None:
            self.judge.requires_grad_(requires_grad=False)
        with self._autocast():
            # the discriminator itself, without its wrapper for several processes: it gets no gradients here
            made = generator_step(self.generator, self.parts.judge, small, large, self.objective)
        values = {"loss": made.loss.item()} | {name: part.item() for name, part in made.parts.items()}
        wrong = _not_finite(values)
        size = made.output.abs().mean().item()
        if not wrong and size > LARGEST_RESULT:
            wrong = f"the results' mean absolute value is {size:.3g}, where pictures lie from 0 to 1"
        self._guard(step, wrong, small, large, names)
        self._move(
            self.optimiser, self.parts.optimiser, self.parts.scalers[0], rate, made.loss, self.generator
        )
        self.parts.average.update(self.parts.generator)
        if self.judge is not None and self.parts.judge_optimiser is not None:
            self.judge.requires_grad_(requires_grad=True)
            with self._autocast():
                loss = discriminator_step(self.judge, made.target, made.output, self.objective)
            values["discriminator"] = loss.item()
            wrong = _not_finite(values)
            if not wrong and values["discriminator"] > LARGEST_JUDGEMENT:
                wrong = f"the discriminator's loss is {values['discriminator']:.3g}"
            self._guard(step, wrong, small, large, names)
            self._move(
                self.judge_optimiser,
                self.parts.judge_optimiser,
                self.parts.scalers[1],
                rate,
                loss,
                self.judge,
            )
        return values

    def _autocast(self) -> torch.autocast:
        dtype = _DTYPES[self.options.precision]
        return torch.autocast(
            self.accelerator.device.type, dtype or torch.bfloat16, enabled=dtype is not None
        )

    def _move(
        self,
        optimiser: Any,
        plain: torch.optim.Optimizer,
        scaler: Scaler,
        rate: float,
        loss: Tensor,
        network: nn.Module,
    ) -> None:
        """Args: the optimiser as Accelerate wraps it, and itself."""
        for group in plain.param_groups:
            group["lr"] = rate
        optimiser.zero_grad()
        self.accelerator.backward(scaler.scaled(loss))
        if self.options.optimiser.clip:
            scaler.unscale(plain)
            self.accelerator.clip_grad_norm_(network.parameters(), self.options.optimiser.clip)
        scaler.step(plain)

    def _guard(self, step: int, wrong: str, small: Tensor, large: Tensor, names: Names) -> None:
        """Stop before what is wrong reaches the weights."""
        if not wrong:
            return
        path = self.folder / f"stopped-at-step-{step}.pt"
        torch.save({"small": small.cpu(), "large": large.cpu(), "pictures": names(step)}, path)
        raise TrainingError(
            f"step {step}: {wrong}; its batch, of {', '.join(names(step))}, is in {path}. Resume from the "
            "last checkpoint with a lower optimiser.rate or with optimiser.clip"
        )


def _not_finite(values: dict[str, float]) -> str:
    return ", ".join(f"{name} is {value}" for name, value in values.items() if not math.isfinite(value))
