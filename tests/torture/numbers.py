"""Every option of every command with numbers that Python does not read, or that nothing can hold.

Python refuses to read or write a whole number of more than 4,300 digits by ValueError, and to make a float
of one of more than 308 by OverflowError.
"""

import argparse
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from esrgan_cli.main import make_parser
from tests.torture.forks import Forks
from tests.torture.sweep import SETTINGS, STATUSES

MANY = "9" * 5000
BASES: Mapping[str, Sequence[str]] = {
    "upscale": ("{picture}", "--model", "{model}", "--engine", "eager", "--dtype", "float32", "-o", "new"),
    "weights list": (),
    "weights show": ("realesrgan-x4plus",),
    "weights fetch": ("esrgan-lite-x4",),
    "weights verify": (),
    "weights inspect": ("{model}",),
    "weights convert": ("{model}", "-o", "new.pth"),
    "weights interpolate": ("{model}", "{model}", "--alpha", "0.5", "-o", "new.pth"),
    "weights add": ("{model}", "--name", "mine"),
    "weights remove": ("mine",),
    "convert": ("{model}", "--to", "onnx", "--runners", "onnxruntime", "-o", "new"),
    "parity": ("{conversion}", "--runners", "onnxruntime"),
    "train": ("{recipe}", *SETTINGS, "--dry-run"),
    "evaluate": ("bicubic", "--dataset", "{pictures}"),
    "bench": ("--list",),
    "cache": (),
    "doctor": (),
}
"""The arguments with which each command does little."""


def values(heavy: bool = True) -> tuple[str, ...]:
    """What is given.

    Args:
        heavy: all; else those of thousands of digits alone.
    """
    many = (
        MANY,
        f"-{MANY}",
        f"{MANY}/{MANY}",
        f"{MANY}x{MANY}",
        f"cpu:{MANY}",
        f"a:{MANY}",
        f"0x{'f' * 5000}",
    )
    return (*many, "9" * 400, f"-{'9' * 400}", "1e999", "nan", "1e-999") if heavy else many[:1]


def commands() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The name and the parser of each that does something itself."""
    yield from _below("", make_parser())


def _below(name: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    inner = [action for action in _actions(parser) if isinstance(action.choices, dict)]
    if not inner:
        yield name, parser
    for action in inner:
        for word, each in action.choices.items():
            yield from _below(f"{name} {word}".strip(), each)


def _actions(parser: argparse.ArgumentParser) -> list[Any]:
    return parser._actions  # pyright: ignore[reportPrivateUsage]  # argparse tells them in no other way


def options(parser: argparse.ArgumentParser) -> list[str]:
    """Those that take any value, by their longest names."""
    return [
        max(action.option_strings, key=len)
        for action in _actions(parser)
        if action.option_strings and action.nargs != 0 and not action.choices
    ]


def tries(
    forks: Forks,
    good: Mapping[str, Path],
    scratch: Path,
    over: Callable[[], bool] = lambda: False,
    *,
    names: Collection[str] = tuple(BASES),
    heavy: bool = True,
) -> Iterator[tuple[str, str, str]]:
    """The command, the option with its value, and what is wrong with how it went, if anything is."""
    for name, parser in commands():
        if name not in names:  # never the demo, which waits for browsers
            continue
        base = [str(good[word[1:-1]]) if word.startswith("{") else word for word in BASES[name]]
        for option in options(parser):
            for value in values(heavy):
                if over():
                    return
                work = scratch / "numbers"
                work.mkdir()
                given = [*name.split(), *base, f"{option}={value}"]
                outcome = forks.run(given, work, environment={"ESRGAN_DATA": str(work / "data")}, limit=60.0)
                shutil.rmtree(work, ignore_errors=True)
                wrong = ""
                if outcome.traceback or outcome.status not in STATUSES:
                    wrong = f"status {outcome.status}, {outcome.seconds:.0f} s: {outcome.err[-600:]}"
                yield name, f"{option}={value[:12]}... of {len(value)}", wrong
