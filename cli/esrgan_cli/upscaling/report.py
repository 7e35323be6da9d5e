"""A line of JSON for each picture, for machines: what became of it."""

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from esrgan_cli.paths import cause_of
from esrgan_torch.errors import ConfigError

Status = Literal["done", "skipped", "left out", "failed"]
Size = tuple[int, int]
"""Width and height in pixels."""


def check_report(path: Path | None) -> None:
    """Raise a ConfigError where `path` is no name of a report; so that no picture is overwritten by one."""
    if path is not None and path.suffix.lower() != ".jsonl":
        raise ConfigError(f"--report {path}: the name of a report ends in .jsonl")


class Report:
    """Writes lines, each by one system call when it is known, so a run that is killed leaves those before.

    May be used by several threads. It is of one run: what the file held is gone.

    Args:
        path: the file; None: nothing is written.
        begun: whether this run has written to it before, which stays.

    Attributes: path, and
        failure: why a line could not be written, in the system's words; empty where all is well.

    Raises:
        ConfigError: it cannot be written.
    """

    def __init__(self, path: Path | None, *, begun: bool = False) -> None:
        self.path = path
        self.failure = ""
        self._lock = threading.Lock()
        self._number: int | None = None
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._number = os.open(path, flags if begun else flags | os.O_TRUNC, 0o666)
        except (OSError, ValueError) as error:
            raise ConfigError(f"--report {path} cannot be written: {cause_of(error)}") from error

    def add(
        self,
        source: Path,
        status: Status,
        reason: str = "",
        *,
        target: Path | None = None,
        sizes: tuple[Size, Size] | None = None,
        frames: int | None = None,
        seconds: float | None = None,
    ) -> None:
        """A picture.

        Args:
            source, target: as they are told to people: relative where they were given so; - for a stream.
            status: what became of it.
            reason: why there is no new result, or what is to be said of one.
            sizes: of the original and of the result.
            frames: how many of the file were enlarged.
            seconds: that the network took.
        """
        facts = {
            "input": str(source),
            "output": None if target is None else str(target),
            "status": status,
            "input_size": None if sizes is None else sizes[0],
            "output_size": None if sizes is None else sizes[1],
            "frames": frames,
            "seconds": None if seconds is None else round(seconds, 3),
            "reason": reason or None,
        }
        self.write(facts)

    def write(self, facts: Mapping[str, object]) -> None:
        """A line as `add` makes them, such as another machine has made."""
        with self._lock:
            if self._number is None or self.failure:
                return
            try:
                os.write(self._number, json.dumps(facts).encode("ascii") + b"\n")
            except OSError as error:
                self.failure = cause_of(error)

    def close(self) -> None:
        """The last line is written."""
        with self._lock:
            if self._number is not None:
                os.close(self._number)
            self._number = None
