"""A run on a GPU, see benchmarks/gpu.sh: groups of sections, each in a process of its own with a time limit.

An illegal access ends all CUDA work of a process, and a wrong barrier hangs: either costs one group. Rows are
written as they come, and the summary comes last. Nothing here imports PyTorch.
"""

import argparse
import contextlib
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from esrgan_benchmarks.studies.gpu.summary import summary

ROWS = "gpu.jsonl"
CHILD = "esrgan_benchmarks.studies.gpu.run"
ENDING = 6.0  # seconds that a group has to end by itself before it is ended


@dataclass(frozen=True)
class Group:
    """Sections of one process.

    Args:
        seconds: it may take; and what earlier groups left of theirs.
        sections: names in `gpu_run`.
        command: for Python, in place of sections.
        watcher: a program, with its options, that watches the process; where it is missing, the group fails.
    """

    seconds: float
    sections: tuple[str, ...] = ()
    watcher: tuple[str, ...] = ()
    command: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return ",".join(self.sections) or " ".join(self.command)


FIRST = (
    Group(110, ("device", "ceilings", "checks", "network")),
    Group(60, ("halo-checks", "halo-network")),
    Group(95, ("times", "launches", "video")),
    Group(40, ("halo-times",)),
    Group(40, ("compiled-by-block",)),
    Group(105, ("layers", "sweep")),
    Group(90, ("compiled",)),
)
MEMCHECK = ("compute-sanitizer", "--tool", "memcheck", "--error-exitcode", "9")
RACECHECK = ("compute-sanitizer", "--tool", "racecheck", "--error-exitcode", "9")
# clocks are left as they are
PROFILER = (
    "ncu", "--clock-control", "none", "--profile-from-start", "off", "--csv", "--page", "details",
    "--section", "SpeedOfLight", "--section", "MemoryWorkloadAnalysis", "--section", "Occupancy",
    "--section", "WarpStateStats",
)  # fmt: skip
TESTS = ("-m", "pytest", "-q", "-W", "default", "-m", "gpu", "tests/torch/engines/cuda")
SECOND = (
    Group(45, ("tiny", "halo-tiny"), MEMCHECK),
    Group(30, ("tiny",), RACECHECK),
    Group(45, ("watched",), PROFILER),
    Group(50, command=TESTS),
)
DRY = (Group(2000, tuple(dict.fromkeys(name for group in (*FIRST, *SECOND) for name in group.sections))),)


def main(arguments: list[str] | None = None) -> int:
    """Returns 1 where a group failed, hung or found something wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--second", action="store_true", help="a memory checker and a profiler watch small cases"
    )
    parser.add_argument(
        "--dry", action="store_true", help="tiny sizes on the CPU, in one process: does it run?"
    )
    parser.add_argument("--commit", default="", help="of the code, for the rows")
    options = parser.parse_args(arguments)
    folder = Path(os.environ.get("OUT", "."))
    folder.mkdir(parents=True, exist_ok=True)
    rows = folder / ROWS
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    common = ["--rows", str(rows), "--run", now, "--commit", options.commit]
    if options.dry:
        common.append("--dry")
    right = run_groups(DRY if options.dry else SECOND if options.second else FIRST, common, folder)
    print(summary(rows))
    return int(not right)


def run_groups(groups: Sequence[Group], common: Sequence[str], folder: Path) -> bool:
    """Run groups one after the other; whether all ended well.

    Args:
        common: arguments of every process; the second one names the file of rows, which is told of groups
            that did not end well.
        folder: where the watchers' output goes.
    """
    right = True
    end = time.monotonic() + sum(group.seconds for group in groups)
    for number, group in enumerate(groups):
        later = sum(each.seconds for each in groups[number + 1 :])
        limit = end - time.monotonic() - later
        state = _run_group(group, limit, common, folder, number)
        if state != "ended":
            right = False
            row = {
                "case": "group",
                "sections": group.name,
                "state": state,
                "seconds": round(limit),
            }
            with Path(common[1]).open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    return right


def _run_group(group: Group, limit: float, common: Sequence[str], folder: Path, number: int) -> str:
    if group.watcher and shutil.which(group.watcher[0]) is None:
        return f"{group.watcher[0]} is not here"
    child = [sys.executable, *group.command]
    if group.sections:
        child += ["-m", CHILD, group.name, "--budget", str(limit - ENDING), *common]
    print(f"== group {group.name}, {limit:.0f} s", flush=True)
    if not group.watcher:
        return wait(child, limit)
    log = folder / f"{group.watcher[0]}-{number}.txt"
    with log.open("w", encoding="utf-8") as file:
        return wait([*group.watcher, *child], limit, file.fileno())


def wait(command: Sequence[str], limit: float, output: int | None = None) -> str:
    """How a command ended: "ended", "code N", or "hung" where it had to be ended with all that it started."""
    process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    try:
        code = process.wait(limit)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return "hung"
    return "ended" if code == 0 else f"code {code}"
