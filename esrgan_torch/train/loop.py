"""The training loop, on one device or, through Accelerate, on many."""

import atexit
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from esrgan_torch.errors import ConfigError, TrainingError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.reparameterised import deployed
from esrgan_torch.storage.atomic import atomic_path
from esrgan_torch.train.assemble import Parts, assemble, make_objective
from esrgan_torch.train.data.batches import Crops, batches
from esrgan_torch.train.data.distill import make_lessons
from esrgan_torch.train.data.pictures import prepare
from esrgan_torch.train.journal import Journal, make_strip
from esrgan_torch.train.options import Options
from esrgan_torch.train.recipe import as_toml
from esrgan_torch.train.schedule import learning_rate
from esrgan_torch.train.state import latest, store
from esrgan_torch.train.steps import Objective, discriminator_step, generator_step
from esrgan_torch.train.validation import validate


def train(
    options: Options,
    folder: Path,
    *,
    initial: Generator | None = None,
    teacher: Generator | None = None,
    resume: bool = False,
    progress: bool | None = None,
) -> Generator:
    """Train a generator; started by `torchrun` or `accelerate launch`, every process calls it alike.

    The folder gets `recipe.toml` (all options), `log.jsonl`, `validation.png` and `checkpoints/`.

    Args:
        options: the recipe.
        folder: of the run; made when missing.
        initial: generator to start from, instead of random weights.
        teacher: its results take the originals' place.
        resume: go on from the newest checkpoint in the folder. On one CPU with the same number of
            threads the result is that of a run that never stopped, bit for bit.
        progress: draw a progress bar on stderr; None: only on a terminal.

    Returns:
        The moving average of the generator, in evaluation mode; of one that is trained as a sum of branches,
        the plain network that computes the same.

    Raises:
        ConfigError: options that do not go together, no pictures, or no checkpoint to resume from.
        TrainingError: a loss is not finite; the message names the step and where its batch was kept.
        WeightsError: VGG19's weights cannot be had.
    """
    accelerator = _accelerator()
    torch.manual_seed(options.seed)
    parts = assemble(options, initial)
    objective = make_objective(options, teacher)
    first = 0
    if resume:  # last, since random weights of the parts draw from the numbers that are restored
        state = latest(folder)
        first = int(state["step"])
        parts.restore(state)
    for helper in (parts.average.network, objective.vgg, objective.teacher):
        if helper is not None:
            helper.to(accelerator.device)
    if options.compiled:
        parts.generator.compile()  # in place: the names of its weights stay
    generator, optimiser = accelerator.prepare(parts.generator, parts.optimiser)
    judge, judge_optimiser = None, None
    if parts.judge is not None:
        judge, judge_optimiser = accelerator.prepare(parts.judge, parts.judge_optimiser)
    run = _Run(options, folder, accelerator, parts, objective, generator, optimiser, judge, judge_optimiser)
    crops = _crops(options, accelerator, teacher, progress)
    feed = batches(crops, first, options.steps, options.data.workers)
    main = accelerator.is_main_process
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(folder, options, first, progress) if main else None
    if main:
        with atomic_path(folder / "recipe.toml") as temporary:
            temporary.write_text(as_toml(options), encoding="utf-8")
    for step in range(first, options.steps):
        asked = time.perf_counter()
        small, large = next(feed)
        waited = time.perf_counter() - asked
        rate = learning_rate(step, options.steps, options.optimiser)
        values = run.step(step, rate, small, large, crops.names)
        if journal is not None:
            journal.note(step + 1, values, rate, waited)
            run.keep(step + 1, journal)
    if journal is not None:
        journal.close()
    return deployed(parts.average.network)


class _Run:
    """What one step needs."""

    def __init__(
        self,
        options: Options,
        folder: Path,
        accelerator: Any,
        parts: Parts,
        objective: Objective,
        generator: nn.Module,
        optimiser: torch.optim.Optimizer,
        judge: nn.Module | None,
        judge_optimiser: torch.optim.Optimizer | None,
    ) -> None:
        self.options, self.folder, self.accelerator = options, folder, accelerator
        self.parts, self.objective = parts, objective
        self.generator, self.optimiser = generator, optimiser
        self.judge, self.judge_optimiser = judge, judge_optimiser

    def step(
        self, step: int, rate: float, small: Tensor, large: Tensor, names: Callable[[int], list[str]]
    ) -> dict[str, float]:
        """Move the weights once; the losses as numbers."""
        device = self.accelerator.device
        small = small.to(device, memory_format=torch.channels_last)
        large = large.to(device, memory_format=torch.channels_last)
        if self.judge is not None:
            self.judge.requires_grad_(requires_grad=False)
        with self._autocast():
            # the discriminator itself, without its wrapper for several processes: it gets no gradients here
            made = generator_step(self.generator, self.parts.judge, small, large, self.objective)
        values = {"loss": made.loss.item()} | {name: part.item() for name, part in made.parts.items()}
        self._guard(step, values, small, large, names)
        self._move(self.optimiser, rate, made.loss, self.generator)
        self.parts.average.update(self.parts.generator)
        if self.judge is not None and self.judge_optimiser is not None:
            self.judge.requires_grad_(requires_grad=True)
            with self._autocast():
                loss = discriminator_step(self.judge, made.target, made.output, self.objective)
            values["discriminator"] = loss.item()
            self._guard(step, values, small, large, names)
            self._move(self.judge_optimiser, rate, loss, self.judge)
        return values

    def keep(self, done: int, journal: Journal) -> None:
        """Validate and store, when it is time."""
        options = self.options
        since = journal.pause()
        last = done == options.steps
        if options.data.validation and (last or done % options.validate_every == 0):
            network = deployed(self.parts.average.network)
            psnr, pictures = validate(network, Path(options.data.validation))
            journal.validated(done, psnr, make_strip(pictures[:8]))
        if last or done % options.checkpoint_every == 0:
            store(self.folder, done, self.parts.state(), options.keep)
        journal.go_on(since)

    def _autocast(self) -> torch.autocast:
        half = self.options.precision == "bfloat16"
        return torch.autocast(self.accelerator.device.type, torch.bfloat16, enabled=half)

    def _move(self, optimiser: torch.optim.Optimizer, rate: float, loss: Tensor, network: nn.Module) -> None:
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad()
        self.accelerator.backward(loss)
        if self.options.optimiser.clip:
            self.accelerator.clip_grad_norm_(network.parameters(), self.options.optimiser.clip)
        optimiser.step()

    def _guard(
        self,
        step: int,
        values: dict[str, float],
        small: Tensor,
        large: Tensor,
        names: Callable[[int], list[str]],
    ) -> None:
        """Stop before a loss that is not finite reaches the weights."""
        wrong = {name: value for name, value in values.items() if not math.isfinite(value)}
        if not wrong:
            return
        path = self.folder / f"stopped-at-step-{step}.pt"
        torch.save({"small": small.cpu(), "large": large.cpu(), "pictures": names(step)}, path)
        raise TrainingError(
            f"step {step}: {', '.join(f'{name} is {value}' for name, value in wrong.items())}; its batch, "
            f"of {', '.join(names(step))}, is in {path}. Go on from the last checkpoint "
            "with a lower optimiser.rate or with optimiser.clip"
        )


def _accelerator() -> Any:
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise ConfigError('training needs Accelerate: pip install "esrgan-torch[train]"') from error
    accelerator = Accelerator(cpu=not torch.accelerator.is_available())
    if accelerator.num_processes > 1:
        # now and then gloo's threads outlive the interpreter and abort a process that has done its work
        atexit.register(accelerator.end_training)
    return accelerator


def _crops(options: Options, accelerator: Any, teacher: Generator | None, progress: bool | None) -> Crops:
    data, scale = options.data, options.network.scale
    with accelerator.main_process_first():  # the others find the cache filled
        pairs = prepare(data.folders, data.small_folders, Path(data.cache), scale, data.patch)
    degrading = data.degradation == "second-order"
    if data.lessons:
        if teacher is None:
            raise ConfigError(f"data.lessons = {data.lessons} needs the teacher {options.losses.teacher!r}")
        hidden = None if progress is None else not progress
        if not accelerator.is_main_process:
            hidden = True
        share = data.lessons // accelerator.num_processes
        with tqdm(desc="lessons", total=share, unit="", disable=hidden, leave=False) as bar:
            pairs = make_lessons(
                pairs,
                teacher,
                data.lessons,
                patch=data.patch,
                seed=options.seed,
                degrading=degrading,
                cache=Path(data.cache),
                process=accelerator.process_index,
                processes=accelerator.num_processes,
                on_made=lambda: bar.update(),
            )
        accelerator.wait_for_everyone()
        degrading = False
    return Crops(
        pairs,
        data.patch,
        scale,
        data.batch,
        options.seed,
        accelerator.process_index,
        accelerator.num_processes,
        degrading=degrading,
    )
