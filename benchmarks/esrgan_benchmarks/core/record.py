"""Rows: one JSON object a line, with all that is needed to read the number years later."""

import datetime
import json
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_torch.engines.devices import computes_bfloat16_fast

RESULTS = Path(__file__).parents[2] / "results"

Row = dict[str, Any]


def machine() -> Row:
    """The facts of this machine and this installation that every row carries."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": _commit(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "bfloat16": computes_bfloat16_fast(torch.device("cpu")),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "esrgan-torch": version("esrgan-torch"),
    }


def append(benchmark: str, rows: Iterable[Row], results: Path = RESULTS) -> Path:
    """Add rows to the benchmark's file, each with the facts of the machine; returns the file."""
    results.mkdir(parents=True, exist_ok=True)
    path = results / f"{benchmark}.jsonl"
    facts = machine()
    with path.open("a", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps({**row, **facts}) + "\n")
    return path


def read(benchmark: str, results: Path = RESULTS) -> list[Row]:
    """All rows of a benchmark, the oldest first. Errors as in `read_file`."""
    return read_file(results / f"{benchmark}.jsonl")


def read_file(path: Path) -> list[Row]:
    """All rows of a file, the oldest first.

    Raises:
        BenchmarkError: there is no such file, or a line is no JSON object.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise BenchmarkError(f"cannot read {path}: it is no file")
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise BenchmarkError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise BenchmarkError(f"{path} does not hold a JSON object a line: {error}") from error
    if not all(isinstance(row, dict) for row in rows):
        raise BenchmarkError(f"{path} does not hold a JSON object a line")
    return rows


def latest(rows: Iterable[Row], *keys: str) -> list[Row]:
    """Of the rows that agree in these keys, the last one; in the order in which they first came."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        found[tuple(row[key] for key in keys)] = row
    return list(found.values())


def by_machine(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each machine, that which measured last first."""
    machines: dict[tuple[Any, ...], list[Row]] = {}
    last: dict[tuple[Any, ...], int] = {}
    for number, row in enumerate(rows):
        # processors of other abilities go by one name in virtual machines
        key = (row["processor"], row["cores"], row["gpu"], row["bfloat16"])
        if key not in machines:
            machines[key] = []
        machines[key].append(row)
        last[key] = number
    return [machines[key] for key in sorted(machines, key=lambda key: -last[key])]


def newest(rows: Iterable[Row]) -> list[Row]:
    """The rows of the machine that measured last."""
    machines = by_machine(rows)
    return machines[0] if machines else []


def measured_on(rows: Iterable[Row]) -> str:
    """Where the rows come from, one sentence for all machines."""
    sentences = {
        f"{row['processor']}{_held(row)}, {_threads(row)}, "
        f"{'with' if row['bfloat16'] else 'without'} bfloat16 arithmetic, torch {row['torch']}, {row['date']}"
        for row in rows
    }
    return f"Measured on: {'; '.join(sorted(sentences))}."


def _threads(row: Row) -> str:
    threads = row.get("threads_asked", row["threads"])
    return f"{threads} thread{'s' if threads > 1 else ''}"


def _held(row: Row) -> str:
    return f" held to {row['isa'].upper()}" if row.get("isa") else ""


def _commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    try:
        result = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None  # no git, or not a checkout
    return result.stdout.strip()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
