"""The folder of a conversion: what may be replaced, what is in it, and how it comes into place."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from esrgan_bridge.errors import ArtifactError
from esrgan_bridge.measure import Question
from esrgan_bridge.probes import Probe
from esrgan_bridge.record import FILE

REFERENCE = "reference.npz"  # probes and the original's answers, so that a check needs no PyTorch weights


def check_replaceable(folder: Path) -> None:
    """Refuse to replace what is not ours."""
    if folder.is_dir():
        if any(folder.iterdir()) and not (folder / FILE).is_file():
            raise ArtifactError(
                f"{folder} has files, but no {FILE}: not made by `esrgan convert`, so left alone"
            )
    elif folder.exists():
        raise ArtifactError(f"{folder} is a file; a folder is made")


def write_reference(file: Path, questions: Sequence[Question]) -> None:
    arrays: dict[str, Any] = {}
    for question in questions:
        arrays[f"{question.probe.name}.probe"] = question.probe.pixels
        arrays[f"{question.probe.name}.answer"] = question.answer
    with file.open("wb") as stream:
        np.savez_compressed(stream, **arrays)


def read_reference(file: Path) -> list[Question]:
    with np.load(file, allow_pickle=False) as arrays:
        names = [name.removesuffix(".probe") for name in arrays.files if name.endswith(".probe")]
        return [Question(Probe(name, arrays[f"{name}.probe"]), arrays[f"{name}.answer"]) for name in names]


def folder_size(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def put_in_place(building: Path, folder: Path) -> None:
    """Rename the finished folder over the target; what was there goes only when the new one stands."""
    if not folder.exists():
        building.rename(folder)
        return
    aside = building.with_name(building.name + ".old")
    folder.rename(aside)
    try:
        building.rename(folder)
    except OSError:
        aside.rename(folder)
        raise
    shutil.rmtree(aside)
