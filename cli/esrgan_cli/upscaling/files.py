"""Which pictures are meant: decided before any work, so that nothing is lost."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from esrgan_cli.options import STREAM
from esrgan_cli.paths import is_link, listing, look, read_head
from esrgan_torch.errors import ConfigError
from esrgan_torch.films.kinds import CODE_SUFFIXES, FILM_SUFFIXES, is_film
from esrgan_torch.images.files import READ_SUFFIXES
from esrgan_torch.images.kinds import HEAD, recognise
from esrgan_torch.storage.paths import real


@dataclass(frozen=True)
class Source:
    """A picture file to read; `root` is the input folder that it is in, None if it was given itself."""

    path: Path
    root: Path | None = None


@dataclass(frozen=True)
class Problem:
    """What cannot be used, or can have no result; `text` is a sentence about it."""

    path: Path
    text: str


@dataclass(frozen=True)
class Search:
    """What the inputs hold.

    Args:
        sources: pictures, each once.
        ignored: files in folders that are neither pictures nor films by their suffix.
        problems: what cannot be used; they count as pictures that failed.
        films: in folders, each once.
        left_out: what of folders may be pictures and is not taken: linked folders, other names of a file.
    """

    sources: tuple[Source, ...]
    ignored: tuple[Path, ...]
    problems: tuple[Problem, ...]
    films: tuple[Source, ...] = ()
    left_out: tuple[Problem, ...] = ()


def find_sources(inputs: Sequence[Path], output: Path | None) -> Search:
    """Look through files and folders.

    A file that is given is taken whatever its name. Folders are searched with their subfolders, in the order
    of names; hidden files and folders, linked folders and the folder `output` are left out, and the second
    name of a file.

    Raises:
        ConfigError: a folder is its own output.
    """
    sources: dict[Hashable, Source] = {}
    films: dict[Hashable, Source] = {}
    ignored: list[Path] = []
    problems: list[Problem] = []
    left_out: list[Problem] = []
    away = real(output) if output is not None else None
    # what a link leads to in there is found by its own name
    searched = [real(given) for given in inputs if given != STREAM and look(given).kind == "folder"]
    for given in inputs:
        if given == STREAM:
            sources.setdefault(STREAM, Source(STREAM))
            continue
        found = look(given)
        if found.kind == "file":
            sources.setdefault(found.identity, Source(given))
            continue
        if found.kind != "folder":
            problems.append(Problem(given, f"{given} {found.cause}"))
            continue
        if real(given) == away:
            raise ConfigError(
                f"{given} is both the input and the output folder, so the next run would take results for "
                "inputs; give another folder with -o"
            )
        nothing = True
        for path, identity, cause in _walk(given, away):
            if cause == _LINKED:
                there = real(path)
                if not any(there.is_relative_to(each) or each.is_relative_to(there) for each in searched):
                    left_out.append(Problem(path, f"{path} {cause}"))
                continue
            if cause:
                problems.append(Problem(path, f"{path} {cause}"))
            elif (picture := _is_picture(path)) or _is_film(path):
                taken = (sources if picture else films).setdefault(identity, Source(path, given))
                if taken.path is not path and _place(taken.path) != _place(path):
                    left_out.append(Problem(path, f"{path} is another name of {taken.path}"))
            else:
                ignored.append(path)
                continue
            nothing = False
        if nothing:
            kinds = ", ".join(sorted(READ_SUFFIXES))
            problems.append(Problem(given, f"{given} holds no pictures ({kinds}) and no films"))
    # what is given twice is one, whether it can be used or not
    return Search(
        tuple(sources.values()),
        tuple(dict.fromkeys(ignored)),
        tuple(dict.fromkeys(problems)),
        tuple(films.values()),
        tuple(dict.fromkeys(left_out)),
    )


def _place(path: Path) -> Path:
    """Where a name stands, its last part as it is: two links to one file are in two places."""
    return real(path.parent) / path.name


def _is_picture(path: Path) -> bool:
    suffix = path.suffix.lower()
    return suffix in READ_SUFFIXES or (
        suffix in FILM_SUFFIXES and recognise(read_head(path, HEAD), suffix) is not None
    )


def _is_film(path: Path) -> bool:
    suffix = path.suffix.lower()
    if suffix in CODE_SUFFIXES:
        return is_film(read_head(path, HEAD))
    return suffix in FILM_SUFFIXES  # asked after `_is_picture`


def names_a_file(inputs: Sequence[Path], output: Path | None) -> bool:
    """Whether -o names the file of a single result: it has a picture's suffix and is no folder.

    Raises:
        ConfigError: it names a file where a folder is needed.
    """
    if output is None or output == STREAM:
        return False
    there = look(output)
    if there.kind == "folder":
        return False
    given = {STREAM if path == STREAM else look(path).identity for path in inputs}
    single = len(given) == 1 and (STREAM in given or look(inputs[0]).kind != "folder")
    if output.suffix.lower() in READ_SUFFIXES:
        if single or not given:
            return True
        raise ConfigError(f"-o {output} names one picture, and there are several inputs; give a folder")
    if there.kind == "file":
        raise ConfigError(f"-o {output} is a file, not a folder, and not a picture by its suffix")
    if there.kind in ("other", "unknown"):
        raise ConfigError(f"-o {output} {there.cause}")
    return False


def goes_to_stdout(inputs: Sequence[Path], output: Path | None) -> bool:
    """Whether the result itself goes to stdout: asked for by -o -, or by the input - alone.

    Raises:
        ConfigError: stdin or stdout stands for several pictures.
    """
    several = len(inputs) > 1 or any(look(path).kind == "folder" for path in inputs if path != STREAM)
    if output == STREAM and several:
        raise ConfigError("-o - is one picture, and there are several inputs; give a folder")
    if STREAM in inputs and several:
        raise ConfigError("the input - is one picture; give it alone")
    if STREAM in inputs and output is not None and output != STREAM and not names_a_file(inputs, output):
        raise ConfigError(f"-o {output} is a folder, but the input from stdin has no name; give a file as -o")
    return output == STREAM or (STREAM in inputs and output is None)


_LINKED = "is a link to a folder; to enlarge what is in there, give it too"


def _walk(folder: Path, away: Path | None) -> Iterator[tuple[Path, Hashable, str]]:
    """What a folder and its subfolders hold, in the order of names: path, identity, why it cannot be used."""
    entries, cause = listing(folder)
    if cause:
        yield folder, None, cause
        return
    waiting = entries[::-1]
    while waiting:
        path = waiting.pop()
        if path.name.startswith("."):
            continue
        found = look(path)
        if found.kind == "folder":
            if real(path) == away:
                continue
            if is_link(path):  # which may lead in a circle
                yield path, None, _LINKED
                continue
            entries, cause = listing(path)
            if cause:
                yield path, None, cause
            waiting += entries[::-1]
        elif found.kind == "unknown" or _is_picture(path) or _is_film(path):
            yield path, found.identity, found.cause  # what is unknown may be a folder of pictures
        else:
            yield path, None, ""
