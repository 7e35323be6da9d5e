"""Names of pictures and folders from a file or from stdin, as `find` and `git` print them."""

import codecs
import os
from pathlib import Path

from esrgan_cli.options import STREAM
from esrgan_cli.output.streams import read_stdin
from esrgan_cli.paths import cause_of
from esrgan_torch.errors import ConfigError


def all_inputs(given: list[Path], names: Path | None) -> list[Path]:
    """What is given, and what a list names, if there is one.

    Raises:
        ConfigError: the list cannot be read, or is stdin as an input is.
    """
    if names is None:
        return given
    if STREAM in given and names == STREAM:
        raise ConfigError("the input - and --from-list - are both stdin; give one of them a file")
    return [*given, *read_list(names)]


def read_list(path: Path) -> list[Path]:
    """The names in a list: its lines, or what stands between zero bytes where it holds any (find -print0).

    Empty lines are passed over. A name is one of a file, "-" too. A list of PowerShell's, in UTF-16, is read.

    Raises:
        ConfigError: it cannot be read.
    """
    if path == STREAM:
        data = read_stdin("--from-list - is a list")
    else:
        try:
            data = path.read_bytes()
        except (OSError, ValueError) as error:
            raise ConfigError(f"--from-list {path} cannot be read: {cause_of(error)}") from error
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16", "replace").encode()
    data = data.removeprefix(codecs.BOM_UTF8)
    if b"\0" in data:
        names = data.split(b"\0")
    else:
        names = [line.removesuffix(b"\r") for line in data.split(b"\n")]
    paths = [Path(os.fsdecode(name)) for name in names if name]
    return [Path(os.path.realpath(each)) if each == STREAM else each for each in paths]
