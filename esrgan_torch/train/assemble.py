"""The parts of a run, made from its options: networks, optimisers, losses."""

from collections.abc import Callable
from collections.abc import Generator as Yielding
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from esrgan_torch.engines.base import channels_last
from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator
from esrgan_torch.train.discriminators import Discriminator, UNetDiscriminator, VGGDiscriminator
from esrgan_torch.train.ema import MovingAverage
from esrgan_torch.train.optimisers import make_adam, make_optimiser
from esrgan_torch.train.options import Options
from esrgan_torch.train.scaling import Scaler
from esrgan_torch.train.start import make_generator
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
        scalers: of the losses of both, the generator's first; they do something in float16 only.
        since: the step at which the optimisers began: not 0 where a run was carried over without them.
    """

    generator: Generator
    average: MovingAverage
    optimiser: torch.optim.Optimizer
    judge: Judge | None = None
    judge_optimiser: torch.optim.Optimizer | None = None
    scalers: tuple[Scaler, Scaler] = field(default_factory=lambda: (Scaler(""), Scaler("")))
    since: int = 0

    def state(self) -> State:
        """All that has to be stored, as `restore` takes it."""
        state: State = {
            "generator": self.generator.state_dict(),
            "ema": self.average.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rng": torch.get_rng_state(),
        }
        if self.since:
            state["since"] = self.since
        if any(scaler.active for scaler in self.scalers):
            state["scalers"] = [scaler.state_dict() for scaler in self.scalers]
        if self.judge is not None and self.judge_optimiser is not None:
            state["discriminator"] = self.judge.discriminator.state_dict()
            state["discriminator_optimiser"] = self.judge_optimiser.state_dict()
        return state

    def restore(self, state: State) -> None:
        """Take over what was stored.

        Raises:
            ConfigError: it belongs to other networks.
        """
        with _fitting():
            self._restore_networks(state)
            self.optimiser.load_state_dict(state["optimiser"])
            if self.judge is not None and self.judge_optimiser is not None:
                self.judge.discriminator.load_state_dict(state["discriminator"])
                self.judge_optimiser.load_state_dict(state["discriminator_optimiser"])
            for scaler, scale in zip(self.scalers, state.get("scalers", []), strict=False):
                scaler.load_state_dict(scale)
            self.since = int(state.get("since", 0))
            torch.set_rng_state(state["rng"])

    def take_over(self, state: State) -> None:
        """Take over the networks of a run that was carried here; the optimiser starts again.

        Raises:
            ConfigError: it belongs to other networks.
        """
        with _fitting():
            self._restore_networks(state)
            self.since = int(state["step"])

    def _restore_networks(self, state: State) -> None:
        self.generator.load_state_dict(state["generator"])
        self.average.network.load_state_dict(state["ema"])
        self.average.updates = int(state["step"])

    def is_finite(self) -> bool:
        """Whether every weight of the networks is a number."""
        networks = [self.generator, self.average.network, *([self.judge] if self.judge is not None else [])]
        return all(torch.isfinite(value).all() for network in networks for value in network.parameters())


@contextmanager
def _fitting() -> Yielding[None]:
    """What PyTorch raises where a checkpoint is another network's, in a sentence."""
    try:
        yield
    except (KeyError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        # PyTorch names each tensor in a line of its own, below a heading
        causes = [line.strip().removesuffix(".") for line in str(error).splitlines()]
        cause = causes[1] if len(causes) > 1 else str(error)
        more = f", and {len(causes) - 2} more" if len(causes) > 2 else ""
        raise ConfigError(
            f"the checkpoint does not fit these options ({cause}{more}); start anew, with it as "
            "network.initial"
        ) from error


def assemble(
    options: Options, initial: Generator | None, tell: Callable[[str], object] = lambda _: None
) -> Parts:
    """Networks and optimisers of a run, on the CPU; random weights come from PyTorch's global numbers.

    Args:
        options: the recipe.
        initial: the generator to start from; None: a new one.
        tell: see `esrgan_torch.train.start.make_generator`.

    Raises:
        ConfigError: `initial` is another network than the recipe's, or the discriminator cannot judge its
            crops.
    """
    generator = make_generator(options.network, initial, tell)
    # convolutions run faster so, on processors and graphics cards alike
    channels_last(generator.train().requires_grad_(requires_grad=True))
    average = MovingAverage(generator, options.ema)
    parts = Parts(generator, average, make_optimiser(generator, options.optimiser))
    parts.scalers = (Scaler(options.precision), Scaler(options.precision))
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
        matching=losses.matching,
        grid=losses.grid,
        sharpness=losses.sharpness,
        scale=options.network.scale,
        judged=options.discriminator.crop,
        layers=losses.layers,
        vgg=VGG19Features(list(losses.layers), losses.vgg) if losses.perceptual else None,
        relativistic=losses.gan == "relativistic",
        sharpen_targets=losses.sharpen_targets,
        teacher=None if options.data.lessons else teacher,  # lessons are answered before the run
    )


def _discriminator(options: Options) -> Discriminator:
    if options.discriminator.kind == "UNetDiscriminator":
        return UNetDiscriminator(options.discriminator.features)
    return VGGDiscriminator(options.judged, options.discriminator.features)
