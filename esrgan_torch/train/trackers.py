"""Programs that draw a run's curves: TensorBoard, and Weights & Biases through Accelerate."""

import secrets
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.errors import ConfigError
from esrgan_torch.train.options import Options

PROJECT = "esrgan-torch"
_ID = "wandb-id.txt"
_WITHOUT = "tensorboard.compat.notf"


class Tracker(Protocol):
    """What a run tells to each of them."""

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of a step, by name."""
        ...

    def pictures(self, step: int, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        """Pictures (H, W, 3) of a step, by name."""
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


class TensorBoard:
    """Event files in the run's folder `tensorboard`.

    Args:
        folder: of the run.
        first: steps done before; what an earlier start wrote of later steps is hidden.

    Raises:
        ConfigError: it is not installed.
    """

    def __init__(self, folder: Path, first: int) -> None:
        if "tensorflow" not in sys.modules:
            # the name by which TensorBoard knows that it is to do without TensorFlow, which it would import
            # where it is installed: ten seconds, and twenty lines of its own on stderr
            sys.modules.setdefault(_WITHOUT, ModuleType(_WITHOUT))
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ConfigError(
                'tensorboard = true needs TensorBoard: pip install "esrgan-torch[train]", or set it to false'
            ) from error
        purge = first + 1 if first else None
        self._writer: Any = SummaryWriter(str(folder / "tensorboard"), purge_step=purge)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def pictures(self, step: int, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        for name, picture in pictures.items():
            self._writer.add_image(name, picture, step, dataformats="HWC")
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


class Accelerated:
    """A tracker that Accelerate knows.

    Args:
        accelerator: made with `log_with`.
        folder: of the run, whose name is the run's; a resumed run is the same run there.
        options: stored as the run's configuration.

    Raises:
        ConfigError: it cannot be started.
    """

    def __init__(self, accelerator: Any, folder: Path, options: Options) -> None:
        self._accelerator = accelerator
        identity = folder / _ID
        if not identity.is_file():
            identity.write_text(secrets.token_hex(8), encoding="utf-8")
        own = {
            "name": folder.resolve().name,
            "dir": str(folder),
            "id": identity.read_text(encoding="utf-8").strip(),
            "resume": "allow",
        }
        try:
            accelerator.init_trackers(PROJECT, config=asdict(options), init_kwargs={options.tracker: own})
        except Exception as error:  # whatever a library raises without a login or a connection
            raise ConfigError(f'tracker = "{options.tracker}" cannot be started: {error}') from error
        self._tracker: Any = accelerator.get_tracker(options.tracker)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._tracker.log(dict(values), step=step)

    def pictures(self, step: int, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        self._tracker.log_images({name: [picture] for name, picture in pictures.items()}, step=step)

    def close(self) -> None:
        self._accelerator.end_training()


@contextmanager
def closing_all(trackers: Sequence[Tracker]) -> Generator[None]:
    """Close the trackers that there are by then; what one of them raises is not worth the run's result."""
    try:
        yield
    finally:
        for tracker in trackers:
            with suppress(Exception):
                tracker.close()


def make_trackers(accelerator: Any, folder: Path, options: Options, first: int) -> list[Tracker]:
    """Those that the options ask for; for the main process.

    Raises:
        ConfigError: one is not installed.
    """
    trackers: list[Tracker] = []
    if options.tensorboard:
        trackers.append(TensorBoard(folder, first))
    if options.tracker:
        trackers.append(Accelerated(accelerator, folder, options))
    return trackers
