"""Where results go."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from esrgan_cli.options import STREAM
from esrgan_cli.paths import look
from esrgan_cli.upscaling.files import Problem, Source
from esrgan_cli.upscaling.journal import Journal
from esrgan_cli.upscaling.names import Names, Wish
from esrgan_torch.errors import ConfigError
from esrgan_torch.storage.paths import real


@dataclass(frozen=True)
class Job:
    """One picture to make: read `source`, write `target`.

    Args:
        wish: what the name of the target comes from; None where it is not ours to choose.
        journal: of the target's folder, or of one above it; None for stdout.
        key: what the journal calls the source.
        note: what is odd about the name of the target, for people; mostly empty.
        suffix: of the format, where the target has no name.
    """

    source: Path
    target: Path
    wish: Wish | None = field(default=None, repr=False)
    journal: Journal | None = field(default=None, repr=False)
    key: str = ""
    note: str = ""
    suffix: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A source that is the result of another source.

    Args:
        path: of the source.
        of: the source that it is the result of.
        known: whether the journal says so; else its name alone does.
    """

    path: Path
    of: Path
    known: bool


@dataclass(frozen=True)
class Targets:
    """Where results go.

    Args:
        jobs: one for each source that is no result itself.
        left_out: the sources that are.
        problems: sources that cannot have a result.
        names: gives another name, should another process have been faster.
    """

    jobs: tuple[Job, ...]
    left_out: tuple[LeftOut, ...] = ()
    problems: tuple[Problem, ...] = ()
    names: Names = field(default_factory=lambda: Names(""), repr=False)

    def claimed(self, job: Job) -> Job:
        """The job, with a name for its result that no other process has taken meanwhile."""
        while job.wish is not None and job.journal is not None and not job.journal.claim(job.target, job.key):
            job = self.renamed(job)
        return job

    def renamed(self, job: Job) -> Job:
        """The job with another target in the same folder."""
        assert job.wish is not None  # a name that was given is not taken away
        name = self.names.another(job.wish)
        note = f"its result is called {name}: another process took {job.target.name} for another picture"
        return replace(job, target=job.target.with_name(name), note=note)


class Journals:
    """The journal of each folder, opened once."""

    def __init__(self) -> None:
        self._open: dict[Path, Journal] = {}

    def of(self, folder: Path) -> Journal:
        place = real(folder)
        if place not in self._open:
            self._open[place] = Journal(place)
        return self._open[place]


def target_stream(sources: Sequence[Source], suffix: Callable[[Path], tuple[str, str]]) -> Targets:
    """The result of one source, if there is one, on stdout; `suffix` as in `target_names`."""
    jobs: list[Job] = []
    for source in sources:
        ends, note = suffix(source.path)
        jobs.append(Job(source.path, STREAM, note=note, suffix=ends))
    return Targets(tuple(jobs))


def target_file(sources: Sequence[Source], output: Path, journals: Journals) -> Targets:
    """The result of one source, if there is one, in the file `output`.

    Raises:
        ConfigError: it is the source.
    """
    journal = journals.of(output.parent)
    jobs: list[Job] = []
    for source in sources:
        if source.path == STREAM:
            jobs.append(Job(source.path, output, None, journal, str(STREAM)))
            continue
        if look(source.path).identity == look(output).identity:
            raise ConfigError(
                f"the result of {source.path} would overwrite the input {output}; give another -o"
            )
        jobs.append(Job(source.path, output, None, journal, journal.key(source.path)))
    return Targets(tuple(jobs))


def target_names(
    sources: Sequence[Source],
    output: Path | None,
    ending: str,
    suffix: Callable[[Path], tuple[str, str]],
    journals: Journals,
) -> Targets:
    """Results under names of their own, see `Names`.

    - in the folder `output`, under the subfolders of the source;
    - without `output`, beside a file; for a folder, under a new folder <folder><ending> beside it.

    Args:
        ending: what stands behind the name of the source, such as "-x4".
        suffix: of the result of a source, with its dot, and a remark about it, mostly empty.

    Raises:
        ConfigError: a folder has no folder beside it.
    """
    names = Names(ending)
    folders = [_folders(source, output, ending) for source in sources]
    wishes: list[Wish] = []
    notes: list[str] = []
    for source, (top, folder) in zip(sources, folders, strict=True):
        journal = journals.of(top)
        ends, note = suffix(source.path)
        wishes.append(Wish(source.path, real(folder), ends, journal, journal.key(source.path)))
        notes.append(note)
    jobs: list[Job] = []
    named = zip(sources, wishes, names.give(wishes), folders, notes, strict=True)
    for source, wish, name, (top, folder), note in named:
        if names.shortened(wish):
            note += "; " if note else ""
            note += f"the name of its result would be too long for the file system; shortened to {name}"
        jobs.append(Job(source.path, folder / name, wish, journals.of(top), wish.key, note))
    return _apart(jobs, names, journals)


def _apart(jobs: Sequence[Job], names: Names, journals: Journals) -> Targets:
    """Leave out what is a result of another source, as when `*.png` is given a second time."""
    by_identity = {look(job.source).identity: job.source for job in jobs}
    left_out: dict[Path, LeftOut] = {}
    problems: dict[Path, Problem] = {}
    for job in jobs:
        assert job.journal is not None
        found = look(job.target)
        other = by_identity.get(found.identity) if found.kind == "file" else None
        if other == job.source:
            problems[job.source] = Problem(
                job.source,
                f"{job.source}: its result would overwrite it; give --suffix, or another folder with -o",
            )
        elif other is not None:
            left_out[other] = LeftOut(other, job.source, job.journal.owner(job.target) == job.key)
    for job in jobs:
        beside = journals.of(job.source.parent)
        owner = beside.owner(beside.folder / job.source.name)
        identity = look(beside.folder / owner).identity if owner is not None else None
        of = by_identity.get(identity) if identity is not None else None
        if of is not None and of != job.source:
            left_out.setdefault(job.source, LeftOut(job.source, of, True))
    away = left_out.keys() | problems.keys()
    return Targets(
        tuple(job for job in jobs if job.source not in away),
        tuple(left_out.values()),
        tuple(problems.values()),
        names,
    )


def _folders(source: Source, output: Path | None, ending: str) -> tuple[Path, Path]:
    """The folder with the journal, and the folder of the result: the same, or below it."""
    if source.root is None:
        folder = source.path.parent if output is None else output
        return folder, folder
    if output is None:
        # "." and ".." have no names of their own
        root = source.root if source.root.name not in ("", "..") else real(source.root)
        if not root.name:
            raise ConfigError(
                f"{root} is the root folder, which has no folder beside it; give the output folder with -o"
            )
        output = root.with_name(root.name + ending)
        if not ending:
            raise ConfigError(
                f"--suffix '' leaves {root} its name, and the results nowhere to go; give the folder with -o"
            )
    return output, output / source.path.parent.relative_to(source.root)
