"""Which pictures are meant, and where their results go: decided before any work, so that nothing is lost."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from esrgan_torch.errors import ConfigError
from esrgan_torch.images import READ_SUFFIXES

DEFAULT_FORMAT = "png"


@dataclass(frozen=True)
class Source:
    """A picture file to read; `root` is the input folder that it is in, None if it was given itself."""

    path: Path
    root: Path | None = None


@dataclass(frozen=True)
class Search:
    """What the inputs hold.

    Args:
        sources: pictures, each once.
        ignored: files in folders that are no pictures by their suffix.
        problems: inputs that give nothing, for people.
    """

    sources: tuple[Source, ...]
    ignored: tuple[Path, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """One picture to make: read `source`, write `target`."""

    source: Path
    target: Path


def find_sources(inputs: Sequence[Path], output: Path | None) -> Search:
    """Look through files and folders.

    A file that is given is taken whatever its name. Folders are searched with their subfolders, in the order
    of names; hidden files and folders, linked folders and the folder `output` are left out.

    Raises:
        ConfigError: a folder is its own output.
    """
    sources: dict[object, Source] = {}
    ignored: list[Path] = []
    problems: list[str] = []
    away = output.resolve() if output is not None else None
    for given in inputs:
        if not given.exists():
            problems.append(f"{given} does not exist")
            continue
        if not given.is_dir():
            sources.setdefault(_identity(given), Source(given))
            continue
        if given.resolve() == away:
            raise ConfigError(
                f"{given} is the input and the output folder, where results would be taken for inputs the "
                "next time; give another folder with -o"
            )
        found = 0
        for path in _files(given, away, problems):
            if path.suffix.lower() in READ_SUFFIXES:
                found += 1
                sources.setdefault(_identity(path), Source(path, given))
            else:
                ignored.append(path)
        if not found:
            problems.append(f"{given} holds no pictures ({', '.join(sorted(READ_SUFFIXES))})")
    return Search(tuple(sources.values()), tuple(ignored), tuple(problems))


def names_a_file(inputs: Sequence[Path], output: Path | None) -> bool:
    """Whether -o names the file of a single result: it has a picture's suffix and is no folder.

    Raises:
        ConfigError: it names a file where a folder is needed.
    """
    if output is None or output.is_dir():
        return False
    single = len(inputs) == 1 and not inputs[0].is_dir()
    if output.suffix.lower() in READ_SUFFIXES:
        if single:
            return True
        raise ConfigError(f"-o {output} names one picture, and the inputs are several; give a folder")
    if output.exists():
        raise ConfigError(f"-o {output} is a file, not a folder, and not a picture by its suffix")
    return False


def name_targets(
    sources: Sequence[Source], output: Path | None, to_file: bool, scale: float, form: str
) -> list[Job]:
    """Where each result goes.

    - to `output` itself, if it names a file;
    - to <name>-x<scale>.<format> in the folder `output`, under the subfolders of the source;
    - without `output`, beside a file; for a folder, under a new folder <folder>-x<scale> beside it.

    Sources that differ in their suffix alone keep it in the name: a-jpg-x4.png, a-png-x4.png.

    Raises:
        ConfigError: two sources would have the same result, or a result would overwrite a source.
    """
    if to_file and output is not None:
        jobs = [Job(source.path, output) for source in sources]
    else:
        ending = f"-x{scale:g}"
        folders = [_target_folder(source, output, ending) for source in sources]
        short = [
            folder / f"{source.path.stem}{ending}.{form}"
            for source, folder in zip(sources, folders, strict=True)
        ]
        uses = Counter(map(os.path.normcase, short))
        jobs = [
            Job(
                source.path,
                target if uses[os.path.normcase(target)] == 1 else _long_name(source, target, ending),
            )
            for source, target in zip(sources, short, strict=True)
        ]
    _check(jobs)
    return jobs


def _check(jobs: Sequence[Job]) -> None:
    first: dict[str, Job] = {}
    for job in jobs:
        other = first.setdefault(os.path.normcase(job.target), job)
        if other is not job:
            raise ConfigError(
                f"{other.source} and {job.source} would both become {job.target}; rename one, or run them "
                "apart with different -o"
            )
    sources = {_identity(job.source): job.source for job in jobs}
    for job in jobs:
        overwritten = sources.get(_identity(job.target))
        if overwritten is not None:
            raise ConfigError(
                f"the result of {job.source} would overwrite the input {overwritten}; give another -o, or "
                "leave that input out"
            )


def _long_name(source: Source, target: Path, ending: str) -> Path:
    """The target with the source's suffix in its name: a-x4.png becomes a-jpg-x4.png."""
    kind = "".join(source.path.suffix.split("."))
    return target.with_name(f"{source.path.stem}-{kind}{ending}{target.suffix}") if kind else target


def _target_folder(source: Source, output: Path | None, ending: str) -> Path:
    if source.root is None:
        return source.path.parent if output is None else output
    if output is None:
        # "." and ".." have no names of their own
        root = source.root if source.root.name not in ("", "..") else source.root.resolve()
        if not root.name:
            raise ConfigError(f"{root} has no folder beside it; give the output folder with -o")
        output = root.with_name(root.name + ending)
    return output / source.path.parent.relative_to(source.root)


def _files(folder: Path, away: Path | None, problems: list[str]) -> list[Path]:
    """Files of a folder and its subfolders, in the order of names; what cannot be listed is a problem."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        problems.append(f"the folder {folder} cannot be listed: {error.strerror or error}")
        return []
    files: list[Path] = []
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            files.append(entry)
        elif not entry.is_symlink() and entry.resolve() != away:  # a linked folder may lead in a circle
            files += _files(entry, away, problems)
    return files


def _identity(path: Path) -> object:
    """Equal for two names of the same file, links and upper case on some systems included."""
    try:
        facts = path.stat()
    except OSError:
        return path.resolve()
    return facts.st_dev, facts.st_ino
