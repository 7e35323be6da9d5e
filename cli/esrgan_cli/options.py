"""Options that several commands share, and what their values mean. Nothing heavy is imported here."""

import argparse
import os
import re
from pathlib import Path
from typing import Protocol

from esrgan_torch.errors import ConfigError
from esrgan_torch.storage.paths import of_address
from esrgan_torch.tiling.modes import Tiling

STREAM = Path("-")
"""Stands for stdin and stdout."""

MOST_DIGITS = 9  # of a number that is meant
SHOWN = 20  # characters of one that is not


class Subparsers(Protocol):
    """What `ArgumentParser.add_subparsers` returns, as far as it is used here."""

    def add_parser(self, name: str, *, help: str, description: str) -> argparse.ArgumentParser: ...


def given_path(text: str) -> Path:
    """A path as it is given on the command line; `STREAM` for "-", and for nothing else.

    Raises:
        argparse.ArgumentTypeError: it is empty, as an unset variable of a shell is; to `Path` that is the
            current folder.
    """
    if not text:
        raise argparse.ArgumentTypeError("an empty name; give a file, or . for the current folder")
    if text != str(STREAM) and Path(text) == STREAM:  # ./-
        return Path(os.path.realpath(text))
    return Path(text)


class Address(str):
    """What stands for a place that is no path of this machine, such as s3://bucket/folder."""

    __slots__ = ()


def given_place(text: str) -> Path | Address:
    """A path as `given_path` has it, also from file:///..., or an address; errors as there."""
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
        return given_path(text)
    return of_address(text) or Address(text)


def check_places(arguments: argparse.Namespace) -> None:
    """Raise a ConfigError where inputs or output are addresses, which one machine does not read."""
    for place in (*arguments.inputs, arguments.output):
        if isinstance(place, Address):
            raise ConfigError(
                f"{place} is an address; download it first, or give --run-on ray (no cluster is needed)"
            )
    if arguments.workers is not None:
        raise ConfigError("--workers needs --run-on ray; on one machine, give --device cuda:0,1")


def add_running_options(parser: argparse.ArgumentParser, devices: str) -> None:
    """Add --device, --engine, --dtype, --tile and --overlap; `devices` is the help text of the first."""
    parser.add_argument("--device", metavar="DEVICE", default="auto", help=devices)
    parser.add_argument(
        "--engine",
        choices=("auto", "eager", "native", "openvino", "ncnn", "triton"),
        default="auto",
        help="auto: the fastest by measurement; eager: PyTorch's operators; native, openvino: the "
        "project's own engine, or OpenVINO, on processors; ncnn: GPUs through Vulkan; triton: kernels for "
        "NVIDIA GPUs",
    )
    parser.add_argument(
        "--dtype",
        choices=("auto", "float32", "float16", "bfloat16"),
        default="auto",
        help="precision; auto: half precision if it is faster and the picture looks the same",
    )
    parser.add_argument(
        "--tile",
        metavar="auto|exact|off|PX",
        default="auto",
        help="auto: without seams, or in overlapping tiles (with a message) if memory is short; exact: "
        "without seams, or an error; off: the whole picture at once; PX: overlapping tiles of PX pixels",
    )
    parser.add_argument(
        "--overlap",
        metavar="PX",
        type=int,
        help="input pixels around a tile, with --tile PX (default: measured for the network)",
    )


def add_cache_options(parser: argparse.ArgumentParser) -> None:
    """Add --offline and --cache."""
    parser.add_argument("--offline", action="store_true", help="download nothing")
    add_cache_option(parser)


def add_cache_option(parser: argparse.ArgumentParser) -> None:
    """Add --cache alone, for what never touches the network anyway."""
    parser.add_argument("--cache", metavar="DIR", type=given_path, help="folder of downloaded models")


def parse_devices(text: str) -> tuple[str, ...]:
    """The devices that --device names: "cuda:0,1" means cuda:0 and cuda:1.

    A bare number takes the kind of the device before it. A device may be named twice.

    Raises:
        ConfigError: an empty name, a number without a kind, or auto among others.
    """
    names: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        if part.isdecimal() and len(part) > MOST_DIGITS:
            raise ConfigError(f"--device {text[:SHOWN]}...: no machine has so many devices")
        if part.isdecimal():
            if not names or names[-1] == "auto":
                raise ConfigError(f"--device {text}: {part} is only a number; give for example cuda:{part}")
            names.append(f"{names[-1].split(':')[0]}:{int(part)}")
        elif part:
            names.append(part)
        else:
            raise ConfigError(f"--device {text!r}: a name is missing; give for example cpu or cuda:0,1")
    if "auto" in names and len(names) > 1:
        raise ConfigError(f"--device {text}: auto cannot be combined with other devices; name every device")
    return tuple(names)


def parse_tiling(tile: str, overlap: int | None) -> Tiling:
    """What --tile and --overlap mean together.

    Raises:
        ConfigError: an unknown word, a tile under 16 pixels, or an overlap without a tile size.
    """
    if tile.isdecimal() and len(tile) > MOST_DIGITS:
        raise ConfigError(f"--tile {tile[:SHOWN]}...: no picture has so many pixels")
    if tile.isdecimal():
        return Tiling("overlap", int(tile), overlap)
    if overlap is not None:
        raise ConfigError(f"--overlap needs a tile size: give --tile PX, not --tile {tile}")
    if tile == "auto" or tile == "exact" or tile == "off":
        return Tiling(tile)
    raise ConfigError(f"--tile must be auto, exact, off or a number of pixels, not {tile!r}")
