"""The finished parts of a film: a folder beside the result, from which a stopped run is resumed.

It is called .NAME.part, and holds a file for every so many frames and a journal: a line of JSON says what the
parts are of, and one for each part that is whole. A part is written under another name and renamed, then its
line is appended: a process that is killed in any moment loses the part that it was at, and nothing else.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self, cast

from esrgan_torch.errors import FilmWriteError
from esrgan_torch.storage.leftovers import END, is_left, mark

JOURNAL = "film.jsonl"
_OWNER = "owner-"
_SILENCE = 300.0  # seconds without a sign of life after which another machine's process counts as gone
_PULSE = 10.0
_LONGEST = 255  # bytes of a name


@dataclass(frozen=True)
class Part:
    """A part that is whole.

    Args:
        size: of its file, in bytes.
        order: when its frames are shown, in ticks of the film, in the order in which they are stored.
        length: ticks for which its last frame is shown, as far as the film says.
    """

    size: int
    order: tuple[int, ...]
    length: int

    @property
    def delay(self) -> int:
        """How many frames later than in the order of times one is stored, at most."""
        rank = {start: place for place, start in enumerate(sorted(self.order))}
        return max((place - rank[start] for place, start in enumerate(self.order)), default=0)


class Parts:
    """The folder of parts of one result. Use it as a context manager: inside, no other process has it.

    Args:
        target: the result.
        making: what decides what is in the parts; parts that were made otherwise are thrown away.

    Attributes:
        whole: the parts that are done, in order.
        discarded: frames of an earlier run that was made otherwise.

    Raises:
        FilmWriteError: another process is at this film, or the folder cannot be written.
    """

    def __init__(self, target: Path, making: Mapping[str, Any]) -> None:
        self.folder = folder_of(target)
        self.whole: list[Part] = []
        self.discarded = 0
        self._target = target
        self._making = json.loads(json.dumps(making))
        self._owner = self.folder / f"{_OWNER}{mark()}{END}"
        self._touched = 0.0

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._owner.touch()
            others = [path for path in self.folder.glob(f"{_OWNER}*") if path != self._owner]
            for other in others:
                if not _is_gone(other):
                    self._owner.unlink(missing_ok=True)
                    raise FilmWriteError(
                        f"another process is making {self._target} at this moment; wait for it, or where "
                        f"there is none, delete {other}"
                    )
                other.unlink(missing_ok=True)
            self._read()
        except OSError as error:
            raise FilmWriteError(
                f"cannot write into {self.folder.parent}: {error.strerror or error}; choose another with -o"
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._owner.unlink(missing_ok=True)
            if not self.whole:
                self.remove()

    @property
    def frames(self) -> int:
        """How many are done."""
        return sum(len(part.order) for part in self.whole)

    def path(self, number: int) -> Path:
        """The file of a part, from 0."""
        return self.folder / f"{number:06}.nut"

    def paths(self) -> Iterator[Path]:
        """The files of the parts that are done."""
        return (self.path(number) for number in range(len(self.whole)))

    def add(self, order: Sequence[int], length: int) -> None:
        """The next part's file is in its place."""
        path = self.path(len(self.whole))
        part = Part(path.stat().st_size, tuple(order), length)
        self._append({"part": len(self.whole), **asdict(part)})
        self.whole.append(part)

    def alive(self) -> None:
        """A sign of life for processes of other machines; call it often."""
        now = time.monotonic()
        if now - self._touched > _PULSE:
            self._touched = now
            with suppress(OSError):
                self._owner.touch()

    def remove(self) -> None:
        """Delete the folder: the result is whole, or nothing is done."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self) -> None:
        journal = self.folder / JOURNAL
        lines = _lines(journal)
        if not lines or lines[0].get("film") != self._making:
            self.discarded = sum(len(part.order) for part in self._found(lines[1:]))
            for path in self.folder.iterdir():
                if path != self._owner:
                    path.unlink()
            self._append({"film": self._making})
            return
        self.whole = self._found(lines[1:])

    def _found(self, lines: list[dict[str, Any]]) -> list[Part]:
        """The parts of the journal's lines, as far as all files up to them are there, and as long as then."""
        by_number: dict[int, Part] = {}
        for facts in lines:
            with suppress(TypeError, KeyError, ValueError, OverflowError):
                order = tuple(int(start) for start in facts["order"])
                by_number[int(facts["part"])] = Part(int(facts["size"]), order, int(facts["length"]))
        found: list[Part] = []
        while (part := by_number.get(len(found))) is not None:
            try:
                if self.path(len(found)).stat().st_size != part.size:
                    break
            except OSError:
                break
            found.append(part)
        return found

    def _append(self, facts: Mapping[str, Any]) -> None:
        with (self.folder / JOURNAL).open("ab") as file:
            # a line that a full disk cut off must not spoil this one: empty lines are passed over
            file.write(b"\n" + json.dumps(facts).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())


def folder_of(target: Path) -> Path:
    """Where the parts of a result lie."""
    name = f".{target.name}{END}"
    if len(os.fsencode(name)) > _LONGEST:
        # 24 digits: 16 or 32 are a temporary file's, which are cleared away
        name = f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:24]}{END}"
    return target.with_name(name)


def _lines(journal: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    try:
        data = journal.read_bytes()
    except OSError:
        return []
    for line in data.splitlines():
        with suppress(ValueError, RecursionError):
            facts = json.loads(line)
            if isinstance(facts, dict):
                found.append(cast("dict[str, Any]", facts))
    return found


def _is_gone(owner: Path) -> bool:
    try:
        return is_left(owner) or time.time() - owner.stat().st_mtime > _SILENCE
    except OSError:
        return True
