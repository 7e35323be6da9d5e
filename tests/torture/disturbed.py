"""Inputs that change while a command reads them: replaced, overwritten, cut off, deleted, a folder instead.

Each change comes before an opening of a file by the command, every one in turn, readings among them. The
command ends as it should, and what it made is whole: of the file from before or of the one that came. When
the file that came is whole, the next run makes what it makes of that.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.torture.cases import NUMBERS
from tests.torture.forks import Forks, Outcome
from tests.torture.kills import Files, files_of, visible
from tests.torture.sweep import SETTINGS, STATUSES

GIVEN, OTHER = "TORTURE_GIVEN", "TORTURE_OTHER"  # the file, and what takes its place


def another() -> None:
    """In one step, as a program that is careful does it."""
    given = Path(os.environ[GIVEN])
    new = given.with_name(".new")
    shutil.copy(os.environ[OTHER], new)
    new.replace(given)


def overwritten() -> None:
    """In place; it has another size."""
    shutil.copyfile(os.environ[OTHER], os.environ[GIVEN])


def half() -> None:
    os.truncate(os.environ[GIVEN], Path(os.environ[GIVEN]).stat().st_size // 2)


def empty() -> None:
    os.truncate(os.environ[GIVEN], 0)


def gone() -> None:
    Path(os.environ[GIVEN]).unlink()


def a_folder() -> None:
    Path(os.environ[GIVEN]).unlink()
    Path(os.environ[GIVEN]).mkdir()


WAYS: Mapping[str, Callable[[], None]] = {
    "another": another,
    "overwritten": overwritten,
    "cut off": half,
    "empty": empty,
    "gone": gone,
    "a folder": a_folder,
}


@dataclass(frozen=True)
class Input:
    """A file that a command reads.

    Args:
        name: of the command and the file, for people.
        arguments: of the command.
        prepare: puts into an empty folder what is there before.
        given: the file in that folder.
        other: what takes its place.
        again: the arguments of the next run; empty: there is none.
        whole: names, as a function, whose content counts.
    """

    name: str
    arguments: Sequence[str]
    prepare: Callable[[Path], None]
    given: str
    other: Path
    again: Sequence[str] = ()
    whole: Callable[[str], bool] = lambda _: True


def inputs(good: Mapping[str, Path]) -> tuple[Input, ...]:
    """All that are tried."""
    model = ("--model", "net.safetensors")

    def prepare(folder: Path) -> None:
        shutil.copytree(good["pictures"], folder / "in")
        shutil.copy(good["model"], folder / "net.safetensors")
        (folder / "recipe.toml").write_text(
            good["recipe"].read_text().replace(str(good["pictures"]), str(folder / "in"))
        )

    upscale = ("upscale", "in", "-o", "out", "--overwrite", *model, *NUMBERS)
    layout = ("weights", "convert", "net.safetensors", "-o", "new.param")
    convert = ("convert", "net.safetensors", "--to", "onnx", "--runners", "onnxruntime", "-o", "made")
    evaluate = ("evaluate", "net.safetensors", "--dataset", "in", "--engine", "eager")
    train = ("train", "recipe.toml", *SETTINGS, "-o", "run")
    picture, large, network = good["picture"], good["pictures"] / "b.png", good["other model"]
    return (
        Input("upscale, a picture", upscale, prepare, "in/a.png", picture, upscale, _is_picture),
        Input("upscale, the model", upscale, prepare, "net.safetensors", network, upscale, _is_picture),
        Input("weights convert, the model", layout, prepare, "net.safetensors", network, layout),
        Input("convert, the model", convert, prepare, "net.safetensors", network, convert, _is_network),
        Input("evaluate, a picture", evaluate, prepare, "in/a.png", large),
        Input("train, a picture", train, prepare, "in/a.png", large),
        Input("train, the recipe", train, prepare, "recipe.toml", picture),
    )


def _is_picture(name: str) -> bool:
    return name.endswith(".png")


def _is_network(name: str) -> bool:
    return name.endswith(".onnx")


class Disturber:
    """Disturbs a command again and again.

    Args:
        forks: a process that is ready.
        case: the command and its file.
        place: an empty folder for the tries.
    """

    def __init__(self, forks: Forks, case: Input, place: Path) -> None:
        self._forks, self._case, self._folder = forks, case, place / "try"
        self._environment = {GIVEN: str(self._folder / case.given), OTHER: str(case.other)}
        self._kept = place / "kept"
        self._kept.mkdir(parents=True)
        self._fresh()
        self._before, self.openings = self._all_made()
        self._fresh()
        another_is_there = case.other.suffix == Path(case.given).suffix
        if another_is_there:
            shutil.copy(case.other, self._folder / case.given)
        self._after = self._all_made()[0] if another_is_there else {}

    def tries(self, ways: Sequence[str] = tuple(WAYS), step: int = 1) -> Iterator[tuple[str, str]]:
        """Where and how, and what is wrong; empty where all is well."""
        for number in range(1, self.openings + 1, step):
            for way in ways:
                self._fresh()
                yield f"{way}, at {number}", self._problem(way, number)

    def _fresh(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        self._case.prepare(self._folder)

    def _all_made(self) -> tuple[Files, int]:
        outcome = self._run(self._case.arguments, 1 << 30, another)
        assert outcome.status == 0, outcome.err
        return self._made(), outcome.events

    def _made(self) -> Files:
        """What counts, without what was given."""
        given = {path.name for path in self._folder.iterdir()} & {"in", "net.safetensors", "recipe.toml"}
        found = visible(files_of(self._folder))
        return {
            name: value
            for name, value in found.items()
            if name.split("/")[0] not in given and self._case.whole(name)
        }

    def _problem(self, way: str, number: int) -> str:
        outcome = self._run(self._case.arguments, number, WAYS[way])
        if outcome.traceback or outcome.status not in STATUSES:
            return f"status {outcome.status}: {outcome.err[-600:]}"
        if outcome.status and not outcome.err.strip():
            return f"status {outcome.status} and not a word"
        if not self._case.again:
            return ""
        wrong = [
            name
            for name, value in self._made().items()
            if value not in (self._before.get(name), self._after.get(name))
        ]
        if wrong:
            return f"{wrong} of neither file"
        given = self._folder / self._case.given
        if given.is_dir():
            given.rmdir()
        shutil.copy(self._case.other, given)
        second = self._run(self._case.again, None, another)
        if second.status:
            return f"the next run: {second.err[-300:]}"
        if (now := self._made()) != self._after:
            return (
                f"the next run made {[name for name in now if now[name] != self._after.get(name)]} otherwise"
            )
        return ""

    def _run(self, arguments: Sequence[str], number: int | None, way: Callable[[], None]) -> Outcome:
        return self._forks.run(
            arguments,
            self._folder,
            watched=[self._folder],
            kill_at=number,
            act=f"{__name__}:{way.__name__}",
            environment={"ESRGAN_DATA": str(self._kept), **self._environment},
            limit=300.0,
        )
