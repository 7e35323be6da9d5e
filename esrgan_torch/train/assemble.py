"""The parts of a run, made from its options: networks, optimisers, losses."""

from dataclasses import dataclass

import torch
from torch import nn

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.reparameterised import TrainingForm
from esrgan_torch.train.discriminators import UNetDiscriminator, VGGDiscriminator
from esrgan_torch.train.ema import MovingAverage
from esrgan_torch.train.initial import starts_of
from esrgan_torch.train.optimisers import make_adam, make_optimiser
from esrgan_torch.train.options import Options
from esrgan_torch.train.state import State
from esrgan_torch.train.steps import Judge, Objective
from esrgan_torch.train.vgg import VGG19Features


@dataclass
class Parts:
    """What a run moves: everything here goes into its checkpoints.

    Args:
        generator: its weights are trained.
        average: its moving average.
        optimiser: of the generator.
        judge, judge_optimiser: the discriminator's, or None without an adversarial loss.
    """

    generator: Generator
    average: MovingAverage
    optimiser: torch.optim.Optimizer
    judge: Judge | None = None
    judge_optimiser: torch.optim.Optimizer | None = None

    def state(self) -> State:
        """All that has to be stored, as `restore` takes it."""
        state: State = {
            "generator": self.generator.state_dict(),
            "ema": self.average.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rng": torch.get_rng_state(),
        }
        if self.judge is not None and self.judge_optimiser is not None:
            state["discriminator"] = self.judge.discriminator.state_dict()
            state["discriminator_optimiser"] = self.judge_optimiser.state_dict()
        return state

    def restore(self, state: State) -> None:
        """Take over what was stored.

        Raises:
            ConfigError: it belongs to other networks.
        """
        try:
            self.generator.load_state_dict(state["generator"])
            self.average.network.load_state_dict(state["ema"])
            self.optimiser.load_state_dict(state["optimiser"])
            if self.judge is not None and self.judge_optimiser is not None:
                self.judge.discriminator.load_state_dict(state["discriminator"])
                self.judge_optimiser.load_state_dict(state["discriminator_optimiser"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise ConfigError(
                f"the checkpoint does not fit these options ({error}); start anew, with it as network.initial"
            ) from error
        torch.set_rng_state(state["rng"])


def assemble(options: Options, initial: Generator | None) -> Parts:
    """Networks and optimisers of a run, on the CPU; random weights come from PyTorch's global numbers.

    Args:
        options: the recipe.
        initial: the generator to start from; None: a new one.

    Raises:
        ConfigError: `initial` is another network than the recipe's, or the discriminator cannot judge its
            crops.
    """
    generator = options.network.build()
    if initial is not None:
        try:
            if isinstance(generator, TrainingForm):
                generator.adopt(initial)
            else:
                generator.load_state_dict(initial.state_dict())
        except RuntimeError as error:
            raise ConfigError(
                f"network.initial = {options.network.initial!r} is another network than the recipe's: {error}"
            ) from error
    else:
        starts_of(options.network.kind)[options.network.init](generator)
    # convolutions run faster so, on processors and graphics cards alike
    generator.train().requires_grad_(requires_grad=True)
    for parameter in generator.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    average = MovingAverage(generator, options.ema)
    parts = Parts(generator, average, make_optimiser(generator, options.optimiser))
    if options.losses.adversarial:
        parts.judge = Judge(_discriminator(options)).train()
        parts.judge_optimiser = make_adam(parts.judge, options.optimiser)
    return parts


def make_objective(options: Options, teacher: Generator | None) -> Objective:
    """The generator's losses with what they need.

    Raises:
        ConfigError: the teacher's scale differs, or a layer is unknown.
        WeightsError: VGG19's weights cannot be had.
    """
    losses = options.losses
    if teacher is not None and teacher.scale != options.network.scale:
        raise ConfigError(f"the teacher enlarges {teacher.scale} times, the network {options.network.scale}")
    return Objective(
        pixel=losses.pixel,
        luma=losses.luma,
        perceptual=losses.perceptual,
        adversarial=losses.adversarial,
        layers=losses.layers,
        vgg=VGG19Features(list(losses.layers), losses.vgg) if losses.perceptual else None,
        relativistic=losses.gan == "relativistic",
        sharpen_targets=losses.sharpen_targets,
        teacher=None if options.data.lessons else teacher,  # lessons are answered before the run
    )


def _discriminator(options: Options) -> nn.Module:
    if options.discriminator.kind == "UNetDiscriminator":
        return UNetDiscriminator(options.discriminator.features)
    if options.data.patch not in (128, 256):
        raise ConfigError(f"VGGDiscriminator judges crops of 128 or 256 pixels, not {options.data.patch}")
    return VGGDiscriminator(options.data.patch, options.discriminator.features)
