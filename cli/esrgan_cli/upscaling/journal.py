"""The journal of an output folder: which name was given to which picture, and how each result was made.

A line of JSON each, only ever appended to, by one system call: two processes may write at once, and a line
that is damaged is passed over. A name is given to the first who asks for it in the journal; it is free again
when its picture is gone. Nothing depends on the journal: without it, less is known, and that is all.
"""

import json
import os
import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from esrgan_cli.paths import append, folded, look, read_from
from esrgan_torch.storage.paths import real

NAME = ".esrgan.jsonl"


@dataclass(frozen=True)
class Record:
    """How a result was made.

    Args:
        source: of which file, relative to the journal's folder where that can be.
        size, changed: of the source then, in bytes and in ns since 1970.
        model, weights: the model's name or file name, and the sha256 of its weights; empty where unknown.
        options: those that were not at their defaults, by their names.
    """

    source: str
    size: int
    changed: int
    model: str
    weights: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Journal:
    """The journal of one output folder. May be used by several threads.

    Args:
        folder: with the results; it need not exist yet.

    Attributes:
        failure: why the last line could not be written; empty where all is well.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = real(folder)
        self.failure = ""
        self._path = self.folder / NAME
        self._lock = threading.Lock()
        self._read = 0  # bytes that are known
        self._owners: dict[Hashable, str] = {}
        self._names: dict[str, list[Path]] = {}
        self._records: dict[Hashable, Record] = {}
        self._update()

    def owner(self, target: Path) -> str | None:
        """The source, as `key` writes it, that a result's name belongs to; None where it is free."""
        owner = self._owners.get(_place(target))
        return owner if owner is not None and look(self.folder / owner).kind != "absent" else None

    def names(self, source: str) -> list[Path]:
        """The results whose names were given to a source, the latest first."""
        return [
            name for name in reversed(self._names.get(source, ())) if self._owners[folded(name)] == source
        ]

    def record(self, target: Path) -> Record | None:
        """How a result was made, if that is known."""
        return self._records.get(_place(target))

    def key(self, source: Path) -> str:
        """How the journal calls a source: from its folder, so that both may be moved together."""
        path = real(source.parent) / source.name
        try:
            return os.path.relpath(path, self.folder).replace(os.sep, "/")
        except ValueError:  # another drive of Windows
            return str(path)

    def claim(self, target: Path, source: str) -> bool:
        """Ask for a name; False where another process was faster. True where nothing can be written, too."""
        with self._lock:
            self._update()
            before = self._owners.get(_place(target))
            if before == source or self.owner(target) is not None:
                return before == source
            self._append({"result": self._relative(target), "source": source, "instead": before})
            return bool(self.failure) or self._owners.get(_place(target)) in (None, source)

    def made(self, target: Path, record: Record) -> None:
        """Note how a result was made."""
        with self._lock:
            self._append({"result": self._relative(target)} | vars(record))

    def _relative(self, target: Path) -> str:
        return os.path.relpath(real(target.parent) / target.name, self.folder).replace(os.sep, "/")

    def _append(self, facts: Mapping[str, Any]) -> None:
        self.failure = append(self._path, json.dumps(facts).encode("ascii"))
        self._update()

    def _update(self) -> None:
        """Read what was appended since, by whomever."""
        data = read_from(self._path, self._read)
        whole = data.rfind(b"\n") + 1  # the end of a line that is just being written is for the next time
        self._read += whole
        for line in data[:whole].splitlines():
            try:
                facts = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(facts, dict):
                self._learn(cast("dict[str, Any]", facts))

    def _learn(self, facts: dict[str, Any]) -> None:
        result, source = facts.get("result"), facts.get("source")
        if not isinstance(result, str) or not isinstance(source, str):
            return
        target = self.folder / result
        place = folded(target)
        record = _record(facts)
        if record is None and self._owners.get(place) != facts.get("instead"):
            return  # a claim that came too late
        self._owners[place] = source
        self._names.setdefault(source, []).append(target)
        if record is not None:
            self._records[place] = record


def _place(target: Path) -> Hashable:
    return folded(real(target.parent) / target.name)


def _record(facts: Mapping[str, Any]) -> Record | None:
    """The record that a line holds; None for a claim and for what is damaged."""
    kinds = {"source": str, "size": int, "changed": int, "model": str, "weights": str, "options": dict}
    if not all(isinstance(facts.get(name), kind) for name, kind in kinds.items()):
        return None
    return Record(**{name: facts[name] for name in kinds})
