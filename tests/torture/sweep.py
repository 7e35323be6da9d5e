"""Every command with every path that goes wrong, in each place where it takes one."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.torture.forks import Forks, Outcome
from tests.torture.places import DISKS, NO_FILES, PLACES, QUOTAS, Place, disk

PATH = "{path}"
_NAMES = str.maketrans(" ,/", "---")
STATUSES = (0, 1, 2, 3)
TRAIN = ("data.batch=2", "network.convolutions=1", "steps=1", "data.patch=32")
SETTINGS = [word for setting in TRAIN for word in ("--set", setting)]


@dataclass(frozen=True)
class Slot:
    """A place of a command for a path.

    Args:
        arguments: of the command; `PATH` is the path, "{model}" and so on are good files.
        ending: of the path; empty for a folder.
        good: which of the good files stands at the path where the fault is not that it is missing.
        variable: of the environment, where the path is given by one.
    """

    arguments: Sequence[str]
    ending: str = ""
    good: str = ""
    variable: str = ""

    @property
    def name(self) -> str:
        words = [word for word in self.arguments if not word.startswith("data.")]
        return f"{self.variable}= {' '.join(words)}" if self.variable else " ".join(words)


UPSCALE = ("upscale", "{picture}", "--model", "{model}", "--engine", "eager", "--dtype", "float32")
SLOTS = (
    Slot(("upscale", PATH, "--model", "{model}", "--engine", "eager"), ".png", "picture"),
    Slot((*UPSCALE, "-o", PATH), ".png"),
    Slot((*UPSCALE, "-o", PATH), ""),
    Slot((*UPSCALE, "-o", "new", "--page", PATH), ".html"),
    Slot(
        ("upscale", "{picture}", "-o", "new", "--engine", "eager", "--model", PATH), ".safetensors", "model"
    ),
    Slot(("upscale", "{picture}", "-o", "new", "--offline", "--cache", PATH), ""),
    Slot(("weights", "list", "--cache", PATH)),
    Slot(("weights", "show", "realesrgan-x4plus", "--cache", PATH)),
    Slot(("weights", "fetch", "esrgan-lite-x4", "--cache", PATH)),
    Slot(("weights", "fetch", "realesrgan-x4plus", "--offline", "--cache", PATH)),
    Slot(("weights", "verify", "--cache", PATH)),
    Slot(("weights", "inspect", PATH), ".pth", "pickle"),
    Slot(("weights", "inspect", PATH), ".safetensors", "model"),
    Slot(("weights", "add", PATH, "--name", "mine"), ".safetensors", "model"),
    Slot(("weights", "convert", PATH, "-o", "new.pth"), ".safetensors", "model"),
    Slot(("weights", "convert", "{model}", "-o", PATH), ".pth"),
    Slot(("weights", "convert", "{model}", "-o", PATH), ".safetensors"),
    Slot(("weights", "convert", "{model}", "-o", PATH), ".param"),
    Slot(("weights", "interpolate", "{model}", PATH, "--alpha", "0.5", "-o", "new.pth"), ".pth", "pickle"),
    Slot(("weights", "interpolate", "{model}", "{model}", "--alpha", "0.5", "-o", PATH), ".pth"),
    Slot(("weights", "add", "{model}", "--name", "mine"), variable="ESRGAN_DATA"),
    Slot(("weights", "list"), variable="ESRGAN_DATA"),
    Slot(("weights", "remove", "mine"), variable="ESRGAN_DATA"),
    Slot(("weights", "verify"), variable="ESRGAN_CACHE"),
    Slot(("convert", PATH, "--to", "onnx", "--runners", "onnxruntime", "-o", "new"), ".safetensors", "model"),
    Slot(("convert", "{model}", "--to", "onnx", "--runners", "onnxruntime", "-o", PATH)),
    Slot(("convert", "{model}", "--to", "tf", "--route", "onnx-tf", "--onnx-tf", PATH, "-o", "new")),
    Slot(("convert", "{model}", "--to", "onnx", "--runners", "onnxruntime", "-o", "new"), variable="TMPDIR"),
    Slot(("parity", PATH, "--runners", "onnxruntime"), "", "conversion"),
    Slot(("train", PATH, *SETTINGS), ".toml", "recipe"),
    Slot(("train", "{recipe}", *SETTINGS, "-o", PATH)),
    Slot(("train", "--resume", PATH, "--set", "steps=2"), "", "run"),
    Slot(("train", "{recipe}", *SETTINGS, "--set", 'data.cache="{path}"', "-o", "new")),
    Slot(("train", "{recipe}", *SETTINGS, "--set", 'data.folders=["{path}"]', "-o", "new"), "", "pictures"),
    Slot(
        ("train", "{recipe}", *SETTINGS, "--set", 'network.initial="{path}"', "-o", "new"), ".pth", "pickle"
    ),
    Slot(("evaluate", "bicubic", "--dataset", PATH), "", "pictures"),
    Slot(("evaluate", PATH, "--dataset", "{pictures}", "--engine", "eager"), ".safetensors", "model"),
    Slot(("evaluate", "bicubic", "--dataset", "{pictures}", "--grid", PATH), ".png"),
    Slot(("bench", "--compare", PATH, "{rows}"), ".jsonl", "rows"),
    Slot(("bench", "--results", PATH, "--report", "new.html")),
    Slot(("cache", "--cache", PATH)),
    Slot(("cache", "--clear", "all", "--cache", PATH)),
    Slot(("cache",), variable="TMPDIR"),
    Slot(("doctor", "--cache", PATH)),
)


@dataclass(frozen=True)
class Try:
    """A slot, what was wrong with its path, and how it went.

    Args:
        gone: whether something else than before stands at the path, where it is no file and no folder.
    """

    slot: Slot
    fault: str
    place: Place
    outcome: Outcome
    gone: bool = False

    @property
    def problem(self) -> str:
        """What is not as it must be; empty where all is well."""
        outcome = self.outcome
        if outcome.traceback:
            return f"a traceback, or no end: {outcome.err[-600:]}"
        if outcome.status not in STATUSES:
            return f"status {outcome.status}: {outcome.err[-300:]}"
        if self.gone:
            return "it was replaced"
        if outcome.status and not outcome.err.strip() and not outcome.out.strip():
            return f"status {outcome.status} and not a word"
        said = outcome.err + outcome.out
        if outcome.status and self.slot.variable != "TMPDIR" and self.place.told not in said:
            return f"the path is not told: {said[-300:]}"
        return ""


def sweep(
    forks: Forks,
    good: Mapping[str, Path],
    scratch: Path,
    slots: Sequence[Slot],
    disks: bool,
    words: Sequence[str] = (),
) -> Iterator[Try]:
    """Try every fault in these slots.

    Args:
        good: whole files and folders, by the names that slots have for them.
        scratch: an empty folder that every user can enter.
        disks: whether disks may be mounted.
        words: of the faults that are tried; none: all.
    """
    for number, slot in enumerate(slots):
        for fault in (*PLACES, *NO_FILES, *(QUOTAS if forks.quotas else ()), *(DISKS if disks else ())):
            if words and not any(word in fault for word in words):
                continue
            folder = scratch / f"{number}-{fault.translate(_NAMES)[:20]}"
            folder.mkdir()
            folder.chmod(0o777)
            work = folder / "work"
            work.mkdir()
            work.chmod(0o777)
            if fault in DISKS:
                with disk(fault, folder / "disk") as place:
                    inside = f"{place.path}/a{slot.ending}" if slot.ending or slot.good else place.path
                    yield _try(forks, slot, fault, Place(inside, place.told), good, work)
            else:
                faulty = folder / "faulty"
                faulty.mkdir()
                place = (PLACES | NO_FILES | QUOTAS)[fault](
                    faulty, slot.ending, good[slot.good] if slot.good else None
                )
                yield _try(forks, slot, fault, place, good, work)
                faulty.chmod(0o755)
            shutil.rmtree(folder, ignore_errors=True)


def _try(forks: Forks, slot: Slot, fault: str, place: Place, good: Mapping[str, Path], work: Path) -> Try:
    arguments: list[str] = []
    for word in slot.arguments:
        known = good[word[1:-1]] if word.startswith("{") and word != PATH else None
        arguments.append(word.replace(PATH, place.path) if known is None else str(known))
    environment = {"ESRGAN_DATA": str(work / "data"), **place.environment}
    if slot.variable:
        environment[slot.variable] = place.path
    before = _identity(place.path) if fault in NO_FILES else None
    outcome = forks.run(arguments, work, humble=place.humble, environment=environment, limit=120.0)
    return Try(slot, fault, place, outcome, fault in NO_FILES and _identity(place.path) != before)


def _identity(path: str) -> tuple[int, ...] | None:
    try:
        facts = os.lstat(path)
    except FileNotFoundError:
        return None
    return facts.st_mode, facts.st_ino, facts.st_rdev
