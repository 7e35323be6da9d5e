"""Which of the inputs of `esrgan upscale` are films, and what is asked for them."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from esrgan_cli.options import STREAM
from esrgan_cli.paths import look, read_head
from esrgan_torch.errors import ConfigError
from esrgan_torch.films.codecs import CONTAINERS, RAW, FilmOptions
from esrgan_torch.films.kinds import is_film
from esrgan_torch.images.kinds import HEAD

OPTIONS = ("codec", "crf", "preset")
DEFAULT_SUFFIX = ".mkv"  # it holds any sound


@dataclass(frozen=True)
class Asked:
    """What is asked for films.

    Args:
        films: the inputs that are.
        others: the inputs that are not.
        suffix: of the results, by -o or --format; None: as the film's, or .mkv.
        to_file: whether -o names the result's file.
        to_stdout: whether the result goes there, as raw frames.
        options: of the encoder.
    """

    films: tuple[Path, ...]
    others: tuple[Path, ...]
    suffix: str | None
    to_file: bool
    to_stdout: bool
    options: FilmOptions

    def suffix_of(self, film: Path) -> tuple[str, str]:
        """The suffix of a film's result, and a remark about it, mostly empty."""
        if self.suffix is not None:
            return self.suffix, ""
        own = film.suffix.lower()
        if own in CONTAINERS and own != RAW:
            return own, ""
        return DEFAULT_SUFFIX, f"{own or 'its container'} is not written: {DEFAULT_SUFFIX} instead"


def asked_for(arguments: argparse.Namespace) -> Asked | None:
    """What the arguments ask for films; None where no input is one.

    Raises:
        ConfigError: options contradict each other, or go with films and there are none.
    """
    inputs: Sequence[Path] = arguments.inputs
    output: Path | None = arguments.output
    by_format = f".{arguments.format.lower()}" if arguments.format is not None else ""
    by_output = "" if output in (None, STREAM) or look(output).kind == "folder" else output.suffix.lower()
    # for stdin, and pictures that move, the result says what is meant
    meant = by_output in CONTAINERS or by_format in CONTAINERS
    films = tuple(path for path in inputs if _is_film(path, meant))
    options = FilmOptions(arguments.codec, arguments.crf, arguments.preset)
    if not films:
        for name in OPTIONS:
            if getattr(arguments, name) is not None:
                raise ConfigError(f"--{name} goes with films, and no input is one")
        return None
    others = tuple(path for path in inputs if path not in films)
    to_stdout = output == STREAM or (STREAM in films and output is None)
    to_file = by_output in CONTAINERS
    if (to_stdout or to_file or STREAM in films) and len(inputs) > 1:
        raise ConfigError("-o names one film, or - is one, and the inputs are several; give a folder with -o")
    if STREAM in films and not (to_stdout or to_file):
        raise ConfigError(
            f"-o {output} is a folder, and what comes from stdin has no name; give a file's name"
        )
    if by_format and by_format not in CONTAINERS and not others:
        known = ", ".join(name.removeprefix(".") for name in CONTAINERS)
        raise ConfigError(f"--format of films is {known}, not {arguments.format}")
    if by_format in CONTAINERS and by_format != RAW and to_stdout:
        raise ConfigError("a film goes to stdout as --format y4m alone; give a file's name with -o")
    if to_file and by_format in CONTAINERS and by_format != by_output:
        raise ConfigError(f"-o {output} and --format {arguments.format} contradict each other; leave one out")
    suffix = RAW if to_stdout else by_output if to_file else by_format if by_format in CONTAINERS else None
    return Asked(films, others, suffix, to_file, to_stdout, options)


def _is_film(path: Path, meant: bool) -> bool:
    if path == STREAM:
        return meant
    if look(path).kind != "file":
        return False
    head = read_head(path, HEAD)
    return is_film(head, path.suffix.lower()) or (meant and head[:6] in (b"GIF87a", b"GIF89a"))
