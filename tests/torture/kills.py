"""Commands that are killed, by SIGKILL, before every change of a file and at random moments.

After each kill nothing may be lost or half: what was there is there, what is there is whole. Then the same
command runs once more: it ends well, gives what a run without a kill gives, and leaves nothing that is not a
result.
"""

import hashlib
import json
import random
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture.forks import Forks, Outcome

Files = dict[str, str]
_LONGEST = 600.0  # seconds for a run: TensorFlow alone takes a minute to be imported on a busy machine
# in the folder for temporary files, of programs for themselves
_OTHERS = re.compile("onnxruntime|torchinductor_")


@dataclass(frozen=True)
class Case:
    """A command that is killed.

    Args:
        name: of the command, for people.
        arguments: of it.
        prepare: puts into an empty folder what is there before.
        half: what is half or lost after a kill, given the files before and those of a whole run.
        again: the arguments of the next run, given the folder; None: the same.
        watched: the parts of the folder where changes count.
        same: names, as a pattern, whose bytes differ from run to run.
        may_stay: names, as a pattern, that may be there beside what a whole run leaves.
        before: a function that each run calls first, as "module:name".
        environment: variables of each run.
    """

    name: str
    arguments: Sequence[str]
    prepare: Callable[[Path], None]
    half: Callable[[Path, Files, Files], list[str]]
    again: Callable[[Path], Sequence[str]] | None = None
    watched: Sequence[str] = ("",)
    same: str = "(?!)"
    may_stay: str = "(?!)"
    before: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Kill:
    """One kill, and what was lost by it.

    Args:
        where: the number of the change, or seconds.
        lost: sentences; empty where all is well.
    """

    where: float
    lost: list[str]


def files_of(folder: Path) -> Files:
    """Names and hashes of what is there, temporary names among them; links by where they lead."""
    found: Files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[path.relative_to(folder).as_posix()] = str(path.readlink())
        elif path.is_file():
            found[path.relative_to(folder).as_posix()] = hashlib.sha256(_content(path)).hexdigest()
    return found


def _content(path: Path) -> bytes:
    """What a file holds; of safetensors with its facts in order, which the library writes by chance.

    Of a film in Matroska, which has a number by chance, the times and bytes of its frames.
    """
    data = path.read_bytes()
    if path.suffix == ".mkv":
        return _packets(path) or data
    length = int.from_bytes(data[:8], "little")
    if path.suffix != ".safetensors" or not 0 < length <= len(data) - 8:
        return data
    return json.dumps(json.loads(data[8 : 8 + length]), sort_keys=True).encode() + data[8 + length :]


def _packets(path: Path) -> bytes:
    import av

    try:
        with av.open(str(path)) as film:
            packets = [packet for packet in film.demux(video=0) if packet.size]
            return b"".join(b"%d " % (packet.pts or 0) + bytes(packet) for packet in packets)
    except av.FFmpegError:
        return b""


def visible(files: Mapping[str, str]) -> Files:
    """Without hidden names, which users and programs pass over."""
    return {
        name: value
        for name, value in files.items()
        if not any(part.startswith(".") for part in name.split("/"))
    }


def only_whole(folder: Path, before: Files, whole: Files) -> list[str]:
    """Every visible file is as before, or as a whole run makes it; none that was there is gone."""
    now = visible(files_of(folder))
    wrong = [name for name, value in now.items() if value not in (before.get(name), whole.get(name))]
    gone = [name for name in visible(before) if name not in now]
    return [f"{name} is half" for name in wrong] + [f"{name} is gone" for name in gone]


class Killer:
    """Kills a case again and again.

    Args:
        forks: a process that is ready.
        case: what is killed.
        place: an empty folder for the tries.
    """

    def __init__(self, forks: Forks, case: Case, place: Path) -> None:
        self._forks, self._case, self._place = forks, case, place
        place.mkdir(parents=True, exist_ok=True)
        folder = self._fresh()
        self._before = files_of(folder)
        outcome = self._run(folder)
        assert outcome.status == 0, outcome.err
        self._whole = files_of(folder)
        self.changes = outcome.events
        self.seconds = outcome.seconds
        shutil.rmtree(folder)

    def at_changes(self, numbers: Sequence[int] | None = None) -> Iterator[Kill]:
        """Before each change, or those of these numbers, from 1."""
        for number in numbers or range(1, self.changes + 1):
            folder = self._fresh()
            outcome = self._run(folder, kill_at=number)
            yield Kill(number, self._lost(folder, outcome))
            shutil.rmtree(folder)

    def at_moments(self, count: int, seed: int = 0) -> Iterator[Kill]:
        """At random moments of the time that a run takes."""
        chance = random.Random(seed)
        for _ in range(count):
            moment = chance.uniform(0.0, self.seconds)
            folder = self._fresh()
            outcome = self._run(folder, kill_after=moment)
            yield Kill(moment, self._lost(folder, outcome))
            shutil.rmtree(folder)

    def at_once(self, other: Forks, count: int, seed: int = 0) -> Iterator[Kill]:
        """Not killed: a second run of the same begins in another process while the first one runs.

        One of them at least does all; the other may refuse, in a line.
        """
        chance = random.Random(seed)
        for _ in range(count):
            moment = chance.uniform(0.0, self.seconds)
            folder = self._fresh()
            with ThreadPoolExecutor(1) as threads:
                first = threads.submit(self._run, folder)
                time.sleep(moment)
                outcomes = [self._run(folder, forks=other), first.result()]
            lost = [
                f"ended with {outcome.status}: {outcome.err[-600:]}"
                for outcome in outcomes
                if outcome.traceback or outcome.status not in (0, 1, 2)
            ]
            if all(outcome.status for outcome in outcomes):
                lost.append(f"none did it: {' and '.join(outcome.err[-300:] for outcome in outcomes)}")
            half = self._case.half(folder, self._before, self._whole)
            yield Kill(moment, [*lost, *half, *self._after(folder)])
            shutil.rmtree(folder)

    def _fresh(self) -> Path:
        folder = self._place / "try"
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        self._case.prepare(folder)
        return folder

    def _run(
        self,
        folder: Path,
        arguments: Sequence[str] | None = None,
        forks: Forks | None = None,
        **how: float,
    ) -> Outcome:
        watched = [folder / name for name in self._case.watched]
        environment = {"TMPDIR": str(self._temporary()), "ESRGAN_DATA": str(folder / "data")}
        return (forks or self._forks).run(
            arguments or self._case.arguments,
            folder,
            watched=watched,
            before=self._case.before,
            environment={**environment, **self._case.environment},
            limit=_LONGEST,
            **how,  # pyright: ignore[reportArgumentType]
        )

    def _temporary(self) -> Path:
        folder = self._place / "temporary"
        folder.mkdir(exist_ok=True)
        return folder

    def _lost(self, folder: Path, outcome: Outcome) -> list[str]:
        if outcome.status not in (0, -9):  # 0: it was faster than the moment
            return [f"ended with {outcome.status}: {outcome.err[-200:]}"]
        return [*self._case.half(folder, self._before, self._whole), *self._after(folder)]

    def _after(self, folder: Path) -> list[str]:
        """What the next run does not make good."""
        again = self._case.again(folder) if self._case.again is not None else None
        second = self._run(folder, again)
        if second.status != 0:
            return [f"the next run ended with {second.status}: {second.err[-200:]}"]
        now = files_of(folder)
        same = re.compile(self._case.same)
        lost = [f"{name} is missing after the next run" for name in self._whole if name not in now]
        more = [name for name in now if name not in self._whole]
        lost += [f"{name} is left over" for name in more if not re.search(self._case.may_stay, name)]
        lost += [
            f"{name} is another"
            for name, value in now.items()
            if not same.search(name) and self._whole.get(name, value) != value
        ]
        left = sorted(path.name for path in self._temporary().iterdir())
        lost += [f"{name} is left over" for name in left if not _OTHERS.match(name)]
        return lost


def conversion_is_whole(folder: Path) -> list[str]:
    """What is wrong with a conversion by its own record."""
    record = folder / "parity.json"
    if not record.is_file():
        return ["no record of the conversion"]
    try:
        listed: dict[str, str] = json.loads(record.read_text())["files"]
    except (ValueError, KeyError):
        return ["the record of the conversion is damaged"]
    now = files_of(folder)
    return [f"{name} is not as recorded" for name, value in listed.items() if now.get(name) != value]
