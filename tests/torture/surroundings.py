"""Every command in a process whose surroundings are odd: streams, folders, limits of the system.

A fault is a function of this module that the process calls before the command (`Forks.run(before=...)`).
"""

import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.torture.forks import Forks, Outcome
from tests.torture.numbers import BASES
from tests.torture.sweep import SETTINGS, STATUSES

MANY_MORE = 1 << 28  # bytes of memory that a command may take beside what it has
# commands that do something, unlike those of numbers
COMMANDS = {
    **BASES,
    "train": ("{recipe}", *SETTINGS, "-o", "new"),
    "upscale a folder": ("{pictures}", "--model", "{model}", "--engine", "eager", "-o", "new"),
}


def stdout_is_full() -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def stderr_is_full() -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 2)


def stdout_has_no_reader() -> None:
    reading, writing = os.pipe()
    os.dup2(writing, 1)
    os.close(reading)
    os.close(writing)
    # Python asks once whether it can seek
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def streams_are_closed() -> None:
    for number in (0, 1):  # what it says on stderr is looked at
        os.close(number)
    sys.stdin = sys.stdout = None  # pyright: ignore[reportAttributeAccessIssue]  # so Python has it


def stdout_is_ascii() -> None:
    sys.stdout = open(1, "w", encoding="ascii", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="ascii", errors="backslashreplace", closefd=False)  # noqa: SIM115


def no_home() -> None:
    """Its folder cannot be made, and nothing else is said of where to keep what is kept."""
    for name in [name for name in os.environ if name.startswith(("XDG_", "ESRGAN_"))]:
        del os.environ[name]
    os.environ["HOME"] = "/proc/nosuch"


def no_folder_for_temporary_files() -> None:
    os.environ["TMPDIR"] = "/nosuch"
    tempfile.tempdir = None


def working_folder_is_gone() -> None:
    Path("gone").mkdir()
    os.chdir("gone")
    Path("../gone").rmdir()


def few_open_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


def little_memory() -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MANY_MORE, used + MANY_MORE))


def small_files() -> None:
    """A limit of the process, which the system tells in another way than a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))


def clock_goes_backwards() -> None:
    now, began = time.time, time.time()
    time.time = lambda: 2 * began - now() - 1e9


FAULTS: Mapping[str, Callable[[], None]] = {
    "stdout is a full disk": stdout_is_full,
    "stderr is a full disk": stderr_is_full,
    "stdout has no reader": stdout_has_no_reader,
    "stdin and stdout are closed": streams_are_closed,
    "stdout takes ASCII alone": stdout_is_ascii,
    "no home": no_home,
    "no folder for temporary files": no_folder_for_temporary_files,
    "the working folder is gone": working_folder_is_gone,
    "32 open files": few_open_files,
    "256 MB of memory more": little_memory,
    "files of at most 100 bytes": small_files,
    "a clock that goes backwards": clock_goes_backwards,
}


def tries(
    forks: Forks,
    good: Mapping[str, Path],
    scratch: Path,
    over: Callable[[], bool] = lambda: False,
    names: tuple[str, ...] = tuple(COMMANDS),
    faults: tuple[str, ...] = tuple(FAULTS),
) -> Iterator[tuple[str, str, str]]:
    """The command, the fault, and what is wrong; empty where all is well."""
    for name in names:
        for fault in faults:
            folder = scratch / "surroundings"
            folder.mkdir()
            words = [good[word[1:-1]] if word.startswith("{") else word for word in COMMANDS[name]]
            outcome = forks.run(
                [*name.removesuffix(" a folder").split(), *words],
                folder,
                before=f"{__name__}:{FAULTS[fault].__name__}",
                environment={"ESRGAN_DATA": str(folder / "data")},
            )
            yield name, fault, _problem(outcome, fault)
            shutil.rmtree(folder, ignore_errors=True)
            if over():
                return


def _problem(outcome: Outcome, fault: str) -> str:
    if outcome.traceback:
        return f"a traceback, or no end: {outcome.err[-600:]}"
    if outcome.status not in STATUSES:
        return f"status {outcome.status}: {outcome.err[-300:]}"
    silent = fault.startswith(("stderr", "stdout has no"))  # as programs are whose reader has gone
    if outcome.status and not silent and not outcome.err.strip():
        return f"status {outcome.status} and not a word"
    return ""
