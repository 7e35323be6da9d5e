"""`log.jsonl`: a line of JSON for every `log_every` steps and for every validation, each step once."""

import json
from pathlib import Path
from typing import Any, cast

from esrgan_torch.storage.atomic import atomic_path

NAME = "log.jsonl"
Line = dict[str, Any]


def read_log(folder: Path) -> list[Line]:
    """The lines of a run's log; one that a killed run left half written is left out."""
    try:
        text = (folder / NAME).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    lines: list[Line] = []
    for each in text.splitlines():
        try:
            line: object = json.loads(each)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict) and "step" in line:
            lines.append(cast(Line, line))
    return lines


def keep_until(folder: Path, step: int) -> list[Line]:
    """Take out what was written after the checkpoint of `step` steps, which come again; returns the rest."""
    path = folder / NAME
    kept = [line for line in read_log(folder) if type(line["step"]) is int and line["step"] <= step]
    if path.exists():
        with atomic_path(path) as temporary:
            temporary.write_text("".join(f"{json.dumps(line)}\n" for line in kept), encoding="utf-8")
    return kept


def append(folder: Path, line: Line) -> None:
    """Add a line.

    Raises:
        OSError: it cannot be written.
    """
    with (folder / NAME).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
