"""Checkpoints: everything that a run needs to go on, in one file that is whole or not there."""

from pathlib import Path
from typing import Any

import torch

from esrgan_torch.errors import ConfigError
from esrgan_torch.storage.atomic import atomic_path

State = dict[str, Any]


def store(folder: Path, step: int, state: State, keep: int) -> Path:
    """Write `step-00001000.pt`, then remove all but the last `keep`; returns the file.

    Args:
        folder: the run's; its subfolder `checkpoints` is made.
        step: steps done.
        state: tensors, numbers, text and containers of them.
        keep: at least 1.
    """
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    path = checkpoints / f"step-{step:08}.pt"
    with atomic_path(path) as temporary:
        torch.save({"step": step, **state}, temporary)
    for old in sorted(checkpoints.glob("step-*.pt"))[:-keep]:
        old.unlink()
    return path


def latest(folder: Path) -> State:
    """The newest checkpoint of a run.

    Raises:
        ConfigError: there is none.
    """
    paths = sorted((folder / "checkpoints").glob("step-*.pt"))
    if not paths:
        raise ConfigError(f"{folder} holds no checkpoints/step-*.pt to go on from")
    return torch.load(paths[-1], map_location="cpu", weights_only=True)
