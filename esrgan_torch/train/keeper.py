"""What is kept of a run: checkpoints first, then validations."""

from collections.abc import Callable, Mapping
from pathlib import Path

from esrgan_torch.datasets.sets import PictureSet
from esrgan_torch.errors import CancelledError, TrainingError
from esrgan_torch.networks.reparameterised import deployed
from esrgan_torch.train.assemble import Parts
from esrgan_torch.train.journal import Journal
from esrgan_torch.train.options import Options
from esrgan_torch.train.state import store
from esrgan_torch.train.validation import validate


class Keeper:
    """Stores and validates when it is time, in the main process.

    Args:
        options: the recipe.
        folder: of the run.
        parts: what moves.
        sets: the data sets to validate on, by name.
        journal: told of validations.
        first: steps done before.
        cancelled: asked during a validation whether the run is to stop.
    """

    def __init__(
        self,
        options: Options,
        folder: Path,
        parts: Parts,
        sets: Mapping[str, PictureSet],
        journal: Journal,
        first: int,
        cancelled: Callable[[], bool],
    ) -> None:
        self.options, self.folder, self.parts, self.sets = options, folder, parts, sets
        self.journal, self.cancelled = journal, cancelled
        self._stored = first or -1  # that of no step is written when it is asked for
        self._failed = False

    def keep(self, done: int) -> None:
        """After a step: store, then validate, so that a validation can cost nothing of what was learnt."""
        since = self.journal.pause()
        if done == self.options.steps:
            self.store(done)
        elif done % self.options.checkpoint_every == 0 or (
            self._failed and done % self.options.log_every == 0
        ):
            self._try_to_store(done)
        if self.is_validated(done) and not self.cancelled():
            self.validate(done)
        self.journal.go_on(since)

    def is_validated(self, done: int) -> bool:
        """Whether there is a validation after this step."""
        last = done == self.options.steps
        return bool(self.sets) and (last or done % self.options.validate_every == 0)

    def validate(self, done: int) -> None:
        """Measure the moving average on every set; given up when the run is to stop."""
        network = deployed(self.parts.average.network)
        try:
            results = [
                validate(network, found, name=name, cancelled=self.cancelled)
                for name, found in self.sets.items()
            ]
        except CancelledError:
            return
        self.journal.validated(done, results)

    def store(self, done: int) -> None:
        """Write a checkpoint, unless this step has one.

        Raises:
            TrainingError: it cannot be written, or the weights are no numbers any more.
        """
        if self._stored == done:
            return
        if not self.parts.is_finite():
            raise TrainingError(
                f"after step {done:,} weights are not finite, so no checkpoint is written; resume from the "
                "last one with a lower optimiser.rate or with optimiser.clip"
            )
        store(self.folder, done, self.parts.state(), self.options.keep)
        self._stored, self._failed = done, False

    def _try_to_store(self, done: int) -> None:
        """A disk that is full for a while does not end the run: it is tried again."""
        try:
            self.store(done)
        except TrainingError as error:
            if not isinstance(error.__cause__, OSError | RuntimeError):
                raise
            self.journal.status.warn(f"{error}; the run continues and tries again")
            self._failed = True
