"""Which of the inputs of `esrgan upscale` are films, and what is asked for them."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from esrgan_cli.options import STREAM
from esrgan_cli.paths import look, read_head
from esrgan_cli.upscaling.files import Search, Source, find_sources
from esrgan_torch.errors import ConfigError
from esrgan_torch.films.codecs import CONTAINERS, RAW, FilmOptions
from esrgan_torch.films.kinds import is_film
from esrgan_torch.images.kinds import HEAD

OPTIONS = ("codec", "crf", "preset")
_ANIMATED_HEAD = 1 << 16  # bytes in which an animated PNG says that it is one, behind its profile
DEFAULT_SUFFIX = ".mkv"  # it holds any sound


@dataclass(frozen=True)
class Asked:
    """What is asked for films.

    Args:
        films: what is one, given itself or in a folder.
        others: the inputs that are none, folders too.
        search: what those hold.
        suffix: of the results, by -o or --format; None: as the film's, or .mkv.
        to_file: whether -o names the result's file.
        to_stdout: whether the result goes there, as raw frames.
        options: of the encoder.
    """

    films: tuple[Source, ...]
    others: tuple[Path, ...]
    search: Search
    suffix: str | None = None
    to_file: bool = False
    to_stdout: bool = False
    options: FilmOptions = field(default_factory=FilmOptions)

    @property
    def has_pictures(self) -> bool:
        """Whether there is anything to be done, or told of, but films."""
        return bool(self.search.sources or self.search.problems)

    def suffix_of(self, film: Path) -> tuple[str, str]:
        """The suffix of a film's result, and a remark about it, mostly empty."""
        if self.suffix is not None:
            return self.suffix, ""
        own = film.suffix.lower()
        if own in CONTAINERS and own != RAW:
            return own, ""
        return DEFAULT_SUFFIX, f"{own or 'its container'} is not written: {DEFAULT_SUFFIX} instead"


def asked_for(arguments: argparse.Namespace) -> Asked:
    """What the arguments ask for films; nothing where there is none among the inputs, or in their folders.

    Raises:
        ConfigError: options contradict each other, or go with films and there are none; a folder is its own
            output.
    """
    inputs: Sequence[Path] = arguments.inputs
    output: Path | None = arguments.output
    by_format = f".{arguments.format.lower()}" if arguments.format is not None else ""
    by_output = "" if output in (None, STREAM) or look(output).kind == "folder" else output.suffix.lower()
    # for stdin, and pictures that move, the result says what is meant
    meant = by_output in CONTAINERS or by_format in CONTAINERS
    given = tuple(path for path in inputs if _is_film(path, meant))
    others = tuple(path for path in inputs if path not in given)
    search = find_sources(others, output)
    films = _once(find_sources(given, output).sources, search.films)
    if not films:
        if by_output in CONTAINERS:
            raise ConfigError(
                f"-o {output} is a film by its suffix, and no input is a film; give a picture's suffix, or a "
                "folder"
            )
        for name in OPTIONS:
            if getattr(arguments, name) is not None:
                raise ConfigError(f"--{name} is for films, and no input is a film")
        return Asked((), others, search)
    to_stdout = output == STREAM or (STREAM in given and output is None)
    to_file = by_output in CONTAINERS
    several = len(inputs) > 1 or any(film.root is not None for film in films)
    if (to_stdout or to_file or STREAM in given) and several:
        raise ConfigError(
            "-o names one film, or - is one, and there are several inputs; give a folder with -o"
        )
    if STREAM in given and not (to_stdout or to_file):
        raise ConfigError(f"-o {output} is a folder, but the input from stdin has no name; give a file as -o")
    options = FilmOptions(arguments.codec, arguments.crf, arguments.preset)
    suffix = RAW if to_stdout else by_output if to_file else by_format if by_format in CONTAINERS else None
    asked = Asked(films, others, search, suffix, to_file, to_stdout, options)
    if by_format and by_format not in CONTAINERS and not asked.has_pictures:
        known = ", ".join(name.removeprefix(".") for name in CONTAINERS)
        raise ConfigError(f"--format of films must be {known}, not {arguments.format}")
    if by_format in CONTAINERS and by_format != RAW and to_stdout:
        raise ConfigError("a film can be written to stdout only as --format y4m; give a file with -o")
    if to_file and by_format in CONTAINERS and by_format != by_output:
        raise ConfigError(f"-o {output} and --format {arguments.format} contradict each other; leave one out")
    return asked


def _once(given: Sequence[Source], found: Sequence[Source]) -> tuple[Source, ...]:
    """Films that are given and those of folders, each once."""
    known = {look(film.path).identity for film in given if film.path != STREAM}
    return (*given, *(film for film in found if look(film.path).identity not in known))


def _is_film(path: Path, meant: bool) -> bool:
    if path == STREAM:
        return meant
    if look(path).kind != "file":
        return False
    head = read_head(path, _ANIMATED_HEAD if meant else HEAD)
    animated = head[:6] in (b"GIF87a", b"GIF89a") or (head[:4] == b"\x89PNG" and b"acTL" in head)
    return is_film(head[:HEAD], path.suffix.lower()) or (meant and animated)
