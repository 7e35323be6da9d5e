"""The training loop, on one device or, through Accelerate, on many."""

import atexit
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from esrgan_torch.datasets.sets import PictureSet
from esrgan_torch.errors import ConfigError, StoppedError, TrainingError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.reparameterised import deployed
from esrgan_torch.storage.alone import alone_in
from esrgan_torch.storage.atomic import atomic_path
from esrgan_torch.train.assemble import Parts, assemble, make_objective
from esrgan_torch.train.carried import begin_log
from esrgan_torch.train.data.batches import Batch, Crops, batches
from esrgan_torch.train.data.cache import pictures_folder
from esrgan_torch.train.data.distill import make_lessons
from esrgan_torch.train.data.pictures import prepare
from esrgan_torch.train.journal import Journal
from esrgan_torch.train.keeper import Keeper
from esrgan_torch.train.log import keep_until
from esrgan_torch.train.moves import Mover
from esrgan_torch.train.options import Options
from esrgan_torch.train.preflight import check_compiler, check_disk
from esrgan_torch.train.recipe import as_toml, from_anywhere
from esrgan_torch.train.runs import RECIPE
from esrgan_torch.train.schedule import learning_rate
from esrgan_torch.train.state import State, latest
from esrgan_torch.train.status import Status
from esrgan_torch.train.stopping import Stopper, name_of
from esrgan_torch.train.trackers import Tracker, closing_all, make_trackers
from esrgan_torch.train.validation import find_sets

# processes wait for the one that decodes pictures or validates; NCCL would give up after ten minutes
_PATIENCE = timedelta(hours=6)


def train(
    options: Options,
    folder: Path,
    *,
    initial: Generator | None = None,
    teacher: Generator | None = None,
    resume: bool = False,
    carried: State | None = None,
    progress: bool | None = None,
) -> Generator:
    """Train a generator; started by `torchrun` or `accelerate launch`, every process calls it alike.

    The folder gets `recipe.toml` (all options), `log.jsonl`, `validation.png` and `checkpoints/`. What the
    run will need is checked before its first step. Ctrl-C, SIGTERM and SIGHUP end it after the step that is
    being made, with a checkpoint; a second signal ends it at once.

    Args:
        options: the recipe.
        folder: of the run; made when missing.
        initial: generator to start from, instead of random weights.
        teacher: its results take the originals' place.
        resume: go on from the newest checkpoint in the folder that is whole. On one CPU with the same number
        of
            threads the result is that of a run that never stopped, bit for bit.
        carried: go on from what another run came to, see `esrgan_torch.train.carried`; the optimiser begins
            anew.
        progress: draw a progress bar on stderr; None: on a terminal, and a line every `log_every` steps
            elsewhere; False: neither.

    Returns:
        The moving average of the generator, in evaluation mode; of one that is trained as a sum of branches,
        the plain network that computes the same.

    Raises:
        ConfigError: options that do not go together, no pictures, no checkpoint to resume from, or one of
        more
            steps than the run is to have; or another process trains into the folder.
        StoppedError: a signal came; its checkpoint is stored, unless the message says otherwise.
        TrainingError: a loss is not finite or grows without bound; the message names the step and where its
            batch was kept. Or a checkpoint cannot be written or read.
        WeightsError: VGG19's weights cannot be had.
    """
    accelerator = _accelerator(options)
    main = accelerator.is_main_process
    status = Status(options.steps, progress if main else False)
    trackers: list[Tracker] = []
    with Stopper() as stopper, closing_all(trackers), ExitStack() as until_end:
        torch.manual_seed(options.seed)
        parts = assemble(options, initial, status.warn if main else _silent)
        objective = make_objective(options, teacher)
        first = 0
        if resume:  # last, since random weights of the parts draw from the numbers that are restored
            state = latest(folder, status.warn if main else _silent)
            first = _steps_of(state, f"the run in {folder}", options)
            parts.restore(state)
        elif carried is not None:
            first = _steps_of(carried, "the run that is carried on", options)
            parts.take_over(carried)
        check_compiler(options, accelerator.device)
        sets: dict[str, PictureSet] = {}
        if main:
            check_disk(options, folder, parts)
            if not until_end.enter_context(alone_in(folder)):
                raise ConfigError(
                    f"another process trains into {folder}; wait for it, or choose another folder"
                )
            sets = find_sets(options.data.validation, options.network.scale, status.warn, status.say)
            trackers += make_trackers(accelerator, folder, options, first)
        for helper in (parts.average.network, objective.vgg, objective.teacher):
            if helper is not None:
                helper.to(accelerator.device)
        mover = Mover(options, folder, accelerator, parts, objective)
        crops = _crops(options, accelerator, teacher, status)
        keeper: Keeper | None = None
        if main:
            if carried is not None and not resume:
                begin_log(folder, carried)
            journal = Journal(folder, options, status, trackers)
            keeper = _begin(options, folder, parts, first, journal, sets, stopper)
        feed = batches(crops, first, options.steps, options.data.workers)
        try:
            _steps(options, first, parts.since, feed, crops, mover, keeper, accelerator, stopper, folder)
        finally:
            status.close()
    return deployed(parts.average.network)


def _steps_of(state: State, what: str, options: Options) -> int:
    """How many steps were done before.

    Raises:
        ConfigError: more than the recipe has.
    """
    done = int(state["step"])
    if done > options.steps:
        raise ConfigError(
            f"{what} has done {done:,} steps, and steps = {options.steps:,} is fewer; "
            f"set steps to {done:,} or more"
        )
    return done


def _begin(
    options: Options,
    folder: Path,
    parts: Parts,
    first: int,
    journal: Journal,
    sets: dict[str, PictureSet],
    stopper: Stopper,
) -> Keeper:
    """The folder as a run's; what a start that was killed has logged is taken out of it."""
    known = keep_until(folder, first)
    with atomic_path(folder / RECIPE) as temporary:
        temporary.write_text(as_toml(from_anywhere(options)), encoding="utf-8")
    keeper = Keeper(options, folder, parts, sets, journal, first, lambda: stopper.asked is not None)
    if first:
        journal.status.say(f"the run is resumed after step {first:,}")
    journal.status.begin(first)
    stopper.at_once = False
    if (
        first
        and keeper.is_validated(first)
        and not any("psnr" in line for line in known if line["step"] == first)
    ):
        keeper.validate(first)  # it was killed between its checkpoint and this
    return keeper


def _steps(
    options: Options,
    first: int,
    since: int,
    feed: Iterator[Batch],
    crops: Crops,
    mover: Mover,
    keeper: Keeper | None,
    accelerator: Any,
    stopper: Stopper,
    folder: Path,
) -> None:
    stopper.at_once = False
    for step in range(first, options.steps):
        if _is_to_stop(accelerator, stopper):
            if keeper is not None:
                keeper.store(step)
            number = stopper.asked or 0
            name = name_of(number) if number else "another process"
            raise StoppedError(
                f"stopped by {name} after {step:,} of {options.steps:,} steps, which are stored in {folder}",
                number,
            )
        asked = time.perf_counter()
        small, large = _next(feed, step, keeper)
        waited = time.perf_counter() - asked
        rate = learning_rate(step, options.steps, options.optimiser, since)
        values = mover.step(step, rate, small, large, crops.names)
        if keeper is not None:
            keeper.journal.note(step + 1, values, rate, waited)
            keeper.keep(step + 1)


def _is_to_stop(accelerator: Any, stopper: Stopper) -> bool:
    """Whether a signal came to this process or, of several, to any: all have to stop after the same step."""
    if accelerator.num_processes == 1:
        return stopper.asked is not None
    if stopper.asked is not None:
        accelerator.set_trigger()
    return accelerator.check_trigger()


def _next(feed: Iterator[Batch], step: int, keeper: Keeper | None) -> Batch:
    """The next batch. What was learnt is stored before an error of the worker processes ends the run."""
    try:
        return next(feed)
    except (TrainingError, RuntimeError) as error:
        if keeper is not None:
            keeper.store(step)
        # an error of a worker process comes with its traceback before it
        cause = str(error).strip().splitlines()[-1].removeprefix("esrgan_torch.errors.TrainingError: ")
        raise TrainingError(
            f"the batch of step {step:,} could not be made: {cause}; the run is stored, and data.workers = "
            "0 makes batches without other processes"
        ) from error


def _silent(_: str) -> None:
    """For processes that say nothing."""


def _accelerator(options: Options) -> Any:
    try:
        from accelerate import Accelerator, InitProcessGroupKwargs
    except ImportError as error:
        raise ConfigError('training needs Accelerate: pip install "esrgan-torch[train]"') from error
    if options.tracker and find_spec(options.tracker) is None:
        raise ConfigError(f'tracker = "{options.tracker}" needs its library: pip install {options.tracker}')
    accelerator = Accelerator(
        cpu=not torch.accelerator.is_available(),
        log_with=options.tracker or None,
        kwargs_handlers=[InitProcessGroupKwargs(timeout=_PATIENCE)],
    )
    if accelerator.num_processes > 1:
        # now and then gloo's threads outlive the interpreter and abort a process that has done its work
        atexit.register(accelerator.end_training)
    return accelerator


def _crops(options: Options, accelerator: Any, teacher: Generator | None, status: Status) -> Crops:
    data, scale = options.data, options.network.scale
    main = accelerator.is_main_process
    cache = pictures_folder(data.cache)
    degrading = data.degradation == "second-order"
    # the others find the cache filled
    with accelerator.main_process_first(), status.counting("decoded", main) as decoded:
        pairs = prepare(
            data.folders,
            data.small_folders,
            cache,
            scale,
            data.patch,
            small_names=data.small_names,
            degrading=degrading,
            limit=data.cache_limit * 1e9,
            tell=status.warn if main else _silent,
            say=status.say,
            on_decoded=decoded,
        )
    if data.lessons:
        if teacher is None:
            raise ConfigError(f"data.lessons = {data.lessons} needs the teacher {options.losses.teacher!r}")
        if main:
            status.say(
                f"lessons: {data.lessons} crops are computed by the teacher "
                f"{options.losses.teacher} and stored in {cache}"
            )
        made = iter(range(1, data.lessons + 1))
        share = data.lessons // accelerator.num_processes
        with status.counting("lessons", main) as count:
            pairs = make_lessons(
                pairs,
                teacher,
                data.lessons,
                patch=data.patch,
                seed=options.seed,
                degrading=degrading,
                noisy=data.noisy,
                cache=cache,
                process=accelerator.process_index,
                processes=accelerator.num_processes,
                on_made=lambda: count(next(made), share),
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
        noisy=data.noisy,
    )
