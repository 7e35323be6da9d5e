"""Checkpoints: everything that a run needs to go on, in one file that is whole or not there."""

import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch

from esrgan_torch.errors import ConfigError, TrainingError
from esrgan_torch.storage.atomic import atomic_path
from esrgan_torch.storage.paths import trouble

State = dict[str, Any]

FOLDER = "checkpoints"
_NAME = re.compile(r"step-(\d+)\.pt")


def store(folder: Path, step: int, state: State, keep: int) -> Path:
    """Write `step-00001000.pt`, then remove all but the last `keep`; returns the file.

    Args:
        folder: the run's; its subfolder `checkpoints` is made.
        step: steps done.
        state: tensors, numbers, text and containers of them.
        keep: at least 1.

    Raises:
        TrainingError: it could not be written; the checkpoints before are as they were.
    """
    checkpoints = folder / FOLDER
    path = checkpoints / f"step-{step:08}.pt"
    try:
        checkpoints.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            torch.save({"step": step, **state}, temporary)
    except (OSError, RuntimeError) as error:
        found = trouble(error, path)
        if found is None:
            raise
        raise TrainingError(
            f"the checkpoint {path} cannot be written: {found.strerror}; free some space, or make the folder "
            "writable"
        ) from error
    for old in checkpoints_of(folder)[:-keep]:
        old.unlink(missing_ok=True)
    return path


def checkpoints_of(folder: Path) -> list[Path]:
    """The checkpoints of a run, the oldest first; parts that a killed run left are none."""
    try:
        found = [path for path in (folder / FOLDER).iterdir() if _NAME.fullmatch(path.name)]
    except OSError:
        return []
    return sorted(found, key=step_of)


def step_of(path: Path) -> int:
    """How many steps were done when a checkpoint was written."""
    found = _NAME.fullmatch(path.name)
    assert found is not None
    return int(found[1])


def latest(folder: Path, tell: Callable[[str], object] | None = None) -> State:
    """The newest checkpoint of a run that is whole.

    Args:
        folder: of the run.
        tell: is given a sentence for each that is damaged; None: it is printed on stderr.

    Raises:
        ConfigError: there is none.
        TrainingError: all are damaged.
    """
    paths = checkpoints_of(folder)
    if not paths:
        raise ConfigError(f"{folder} contains no {FOLDER}/step-*.pt to resume from")
    tell = tell or (lambda text: print(text, file=sys.stderr))
    causes: list[str] = []
    for path in reversed(paths):
        try:
            state = _read(path)
        except _DamagedError as error:
            causes.append(f"{path} is damaged: {error}")
            continue
        for cause in causes:
            tell(f"{cause}; the run is resumed from the checkpoint before, of step {state['step']}")
        return state
    raise TrainingError(f"{'; '.join(causes)}; there is no earlier checkpoint, so the run must start again")


class _DamagedError(Exception):
    """The checkpoint cannot be used."""


def _read(path: Path) -> State:
    try:
        broken = _broken_part(path)
        state: object = None if broken else torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # zipfile, pickle and torch.load raise anything on what is no checkpoint
        raise _DamagedError(str(error).split("\n")[0] or type(error).__name__) from error
    if broken:
        raise _DamagedError(f"its part {broken} has a wrong checksum")
    if not isinstance(state, dict):
        raise _DamagedError("it is not a checkpoint of a run")
    found = cast(State, state)
    if found.get("step") != step_of(path):
        raise _DamagedError("it is not a checkpoint of a run")
    return found


def _broken_part(path: Path) -> str | None:
    """The first part of the archive whose checksum is wrong; PyTorch takes flipped bits for weights."""
    with zipfile.ZipFile(path) as archive:
        return archive.testzip()
