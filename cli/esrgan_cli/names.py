"""What results are called: the same picture gets the same name every time, and no two get one."""

import hashlib
import itertools
import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from esrgan_cli.files import Source
from esrgan_cli.paths import longest_name, look, real
from esrgan_torch.errors import ConfigError


@dataclass(frozen=True)
class Job:
    """One picture to make: read `source`, write `target`.

    Args:
        note: what is odd about the name of the target, for people; mostly empty.
    """

    source: Path
    target: Path
    note: str = ""


@dataclass(frozen=True)
class Naming:
    """Where results go.

    Args:
        jobs: one for each source that is no result itself.
        results: sources that are left out, since each is the result of another source: (source, of which).
        problems: sources that cannot have a result, a sentence each.
    """

    jobs: tuple[Job, ...]
    results: tuple[tuple[Path, Path], ...] = ()
    problems: tuple[str, ...] = ()


def name_targets(
    sources: Sequence[Source],
    output: Path | None,
    to_file: bool,
    ending: str,
    suffix: Callable[[Path], str],
) -> Naming:
    """Where each result goes.

    - to `output` itself, if it names a file;
    - to <name><ending><suffix> in the folder `output`, under the subfolders of the source;
    - without `output`, beside a file; for a folder, under a new folder <folder><ending> beside it.

    Sources that differ in their suffix alone keep it in the name: a-jpg-x4.png, a-png-x4.png; what is still
    equal gets a number. Upper and lower case are one, since they are on some file systems. A name that would
    be too long is shortened.

    Args:
        ending: what stands behind the name of the source, such as "-x4".
        suffix: of the result of a source, with its dot.

    Raises:
        ConfigError: the file that `output` names is the source, or a folder has no folder beside it.
    """
    if to_file and output is not None:
        for source in sources:
            if look(source.path).identity == look(output).identity:
                raise ConfigError(
                    f"the result of {source.path} would overwrite the input {output}; give another -o"
                )
        return Naming(tuple(Job(source.path, output) for source in sources))
    folders = [_target_folder(source, output, ending) for source in sources]
    names = _Names(ending)
    wishes = [
        names.wish(source.path, folder, suffix(source.path))
        for source, folder in zip(sources, folders, strict=True)
    ]
    return _apart(sources, names.give(wishes))


@dataclass(frozen=True)
class _Wish:
    """A source, the folder of its result and that folder without links, and the result's suffix."""

    source: Path
    folder: Path
    real_folder: Path
    suffix: str

    @property
    def stem(self) -> str:
        return self.source.stem

    @property
    def kind(self) -> str:
        return self.source.suffix.replace(".", "")


class _Names:
    def __init__(self, ending: str) -> None:
        self._ending = ending
        self._folders: dict[Path, tuple[Path, int]] = {}  # without links, and how long names may be
        self._given: set[Hashable] = set()

    def wish(self, source: Path, folder: Path, suffix: str) -> _Wish:
        if folder not in self._folders:
            self._folders[folder] = real(folder), longest_name(folder)
        return _Wish(source, folder, self._folders[folder][0], suffix)

    def give(self, wishes: Sequence[_Wish]) -> list[Job]:
        """A name for each wish: first the plain ones that nobody else wants, then the others, in order."""
        rivals: defaultdict[Hashable, list[_Wish]] = defaultdict(list)
        for wish in wishes:
            rivals[folded(wish.real_folder / self._name(wish, wish.stem))].append(wish)
        jobs: dict[Path, Job] = {}
        for group in sorted(rivals.values(), key=len):
            kinds = {wish.kind.lower() for wish in group}
            for wish in group:
                stem = f"{wish.stem}-{wish.kind}" if len(kinds) > 1 and wish.kind else wish.stem
                for name in self._candidates(wish, stem):
                    place = folded(wish.real_folder / name)
                    if place not in self._given:
                        self._given.add(place)
                        jobs[wish.source] = Job(wish.source, wish.folder / name, self._note(wish, name))
                        break
        return [jobs[wish.source] for wish in wishes]

    def _candidates(self, wish: _Wish, stem: str) -> Iterator[str]:
        yield self._name(wish, stem)
        for number in itertools.count(2):
            yield self._name(wish, f"{stem}-{number}")

    def _name(self, wish: _Wish, stem: str) -> str:
        """The stem with ending and suffix, shortened to what the folder's file system takes."""
        tail = self._ending + wish.suffix
        _, limit = self._folders[wish.folder]
        if len(os.fsencode(stem + tail)) <= limit:
            return stem + tail
        # the rest of the name decides the digits, so that long names that begin alike stay apart
        tail = f"~{hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]}{tail}"
        while stem and len(os.fsencode(stem + tail)) > limit:
            stem = stem[:-1]
        return stem + tail

    def _note(self, wish: _Wish, name: str) -> str:
        if self._name(wish, wish.stem) == wish.stem + self._ending + wish.suffix:
            return ""
        return f"the name of its result would be too long for the file system; shortened to {name}"


def folded(path: Path) -> Hashable:
    """Equal for paths that some file system takes for one: without case, composed or not."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def _apart(sources: Sequence[Source], jobs: Sequence[Job]) -> Naming:
    """Leave out what is a result of another source, as when `*.png` is given a second time."""
    by_identity = {look(source.path).identity: source.path for source in sources}
    results: dict[Path, Path] = {}
    problems: dict[Path, str] = {}
    for job in jobs:
        found = look(job.target)
        other = by_identity.get(found.identity) if found.kind == "file" else None
        if other == job.source:
            problems[job.source] = (
                f"{job.source}: its result would overwrite it; give --suffix, or another folder with -o"
            )
        elif other is not None:
            results[other] = job.source
    left_out = results.keys() | problems.keys()
    return Naming(
        tuple(job for job in jobs if job.source not in left_out),
        tuple(results.items()),
        tuple(problems.values()),
    )


def _target_folder(source: Source, output: Path | None, ending: str) -> Path:
    if source.root is None:
        return source.path.parent if output is None else output
    if output is None:
        # "." and ".." have no names of their own
        root = source.root if source.root.name not in ("", "..") else real(source.root)
        if not root.name:
            raise ConfigError(f"{root} has no folder beside it; give the output folder with -o")
        output = root.with_name(root.name + ending)
    return output / source.path.parent.relative_to(source.root)
