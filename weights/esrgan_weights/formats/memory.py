"""Weights that a program has in memory: tensors by name, or an open file. Both go through a file's checks."""

import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

import torch
from torch import Tensor

from esrgan_torch.storage.leftovers import temporary_folder
from esrgan_weights.canonical import canonical_hash
from esrgan_weights.checkpoint import Checkpoint
from esrgan_weights.errors import CheckpointError
from esrgan_weights.formats.read import read_checkpoint

STATE_DICT = "state dict"


def read_state_dict(content: Mapping[str, object]) -> Checkpoint:
    """Read tensors by name, under any wrappers that a file may have; what is no tensor is left out.

    Raises:
        CheckpointError: see `read_checkpoint`.
    """
    with _place(STATE_DICT) as path:
        torch.save(_tensors_of(content), path)
        checkpoint = _read(path, STATE_DICT)
    # there is no file whose hash would say anything
    provenance = replace(checkpoint.provenance, sha256=canonical_hash(checkpoint, "float32"))
    return replace(checkpoint, provenance=provenance)


def read_stream(stream: IO[bytes]) -> Checkpoint:
    """Read an open binary file (`.pth`, `.safetensors`, ...) from where it stands to its end.

    Raises:
        CheckpointError: see `read_checkpoint`; or the file is open as text.
    """
    name = Path(str(getattr(stream, "name", ""))).name or "open file"
    with _place(name) as path:
        with path.open("wb") as copy:
            try:
                shutil.copyfileobj(stream, copy)
            except (TypeError, AttributeError) as error:
                raise CheckpointError(
                    f"{name}: weights come from a path, an address, named tensors or a file that is open for "
                    f'reading bytes ("rb"), not from {type(stream).__name__}'
                ) from error
        return _read(path, name)


@contextmanager
def _place(name: str) -> Generator[Path]:
    with temporary_folder("weights") as folder:
        yield folder / name


def _read(path: Path, name: str) -> Checkpoint:
    """As `read_checkpoint`, with `name` where that names the temporary file."""
    try:
        checkpoint = read_checkpoint(path)
    except CheckpointError as error:
        raise type(error)(str(error).replace(str(path), name)) from error
    return replace(checkpoint, path=Path(name))


def _tensors_of(content: Mapping[str, object]) -> dict[str, object]:
    kept: dict[str, object] = {}
    for name, value in content.items():
        if isinstance(value, Tensor):
            kept[str(name)] = value.detach().cpu()
        elif isinstance(value, Mapping):
            kept[str(name)] = _tensors_of(cast(Mapping[str, object], value))
    return kept
