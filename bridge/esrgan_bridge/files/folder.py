"""What is in the folder of a conversion: its size, the probes and the original's answers."""

import struct
import tokenize
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from esrgan_bridge.errors import ArtifactError
from esrgan_bridge.parity.measure import Question
from esrgan_bridge.parity.probes import Probe
from esrgan_torch.engines.devices import free_memory
from esrgan_torch.storage.packed import packed_damage

# what damaged bytes raise within zipfile and NumPy
_DAMAGE = (
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    *packed_damage(),
)
REFERENCE = "reference.npz"  # probes and the original's answers, so that a check needs no PyTorch weights


def write_reference(file: Path, questions: Sequence[Question]) -> None:
    arrays: dict[str, Any] = {}
    for question in questions:
        arrays[f"{question.probe.name}.probe"] = question.probe.pixels
        arrays[f"{question.probe.name}.answer"] = question.answer
    with file.open("wb") as stream:
        np.savez_compressed(stream, **arrays)


def read_reference(file: Path) -> list[Question]:
    """What `write_reference` wrote.

    Raises:
        ArtifactError: it is missing or damaged.
    """
    try:
        _check_size(file)
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            names = [name.removesuffix(".probe") for name in arrays.files if name.endswith(".probe")]
            return [
                Question(Probe(name, arrays[f"{name}.probe"]), arrays[f"{name}.answer"]) for name in names
            ]
    except _DAMAGE as error:
        raise ArtifactError(f"{file} is damaged ({error}); convert the network again") from error


def _check_size(file: Path) -> None:
    """ArtifactError where it unpacks to more than there is memory; of zeros a disk holds a thousandth."""
    with zipfile.ZipFile(file) as archive:
        size = sum(member.file_size for member in archive.infolist())
    free = free_memory(torch.device("cpu"))
    if size > free // 2:
        raise ArtifactError(
            f"{file} unpacks to {size >> 20:,} MiB, where {free >> 20:,} MiB are free; convert the network "
            "again"
        )


def folder_size(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
