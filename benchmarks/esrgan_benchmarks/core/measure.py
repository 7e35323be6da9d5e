"""Times and memory: interleaved runs, peaks in processes of their own."""

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_benchmarks.core.load import Watch, available_cores
from esrgan_torch.errors import EsrganError

LAST_LINES = 4  # of what a process printed before it died


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of several runs: seconds, or ratios."""

    median: float
    lower: float
    upper: float
    runs: int

    @classmethod
    def of(cls, seconds: list[float]) -> "Spread":
        """The spread of at least two measurements."""
        lower, median, upper = statistics.quantiles(seconds, n=4, method="inclusive")
        return cls(round(median, 5), round(lower, 5), round(upper, 5), len(seconds))

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def stopwatch(function: Callable[[], Any]) -> Callable[[], float]:
    """The function, telling the seconds that it took."""

    def timed() -> float:
        started = time.perf_counter()
        function()
        return time.perf_counter() - started

    return timed


def interleave(
    cases: Mapping[str, Callable[[], float]], runs: int, warm_up: int = 1, watch: Watch | None = None
) -> dict[str, list[float]]:
    """Seconds of every run of every case, taken in turn (A B C A B C ...), after `warm_up` runs of each.

    A machine that slows down or speeds up meanwhile does so for all of them. Where others use it too,
    that is said on stderr; `esrgan_benchmarks.core.rounds` repeats what they disturbed.

    Args:
        cases: each tells the seconds that it took, see `stopwatch`.
        runs, warm_up: how many of each are counted, and how many before them are not.
        watch: of what others use; None: one for all cores.
    """
    watch = Watch(available_cores()) if watch is None else watch
    for case in cases.values():
        for _ in range(warm_up):
            case()
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(runs):
        for name, case in cases.items():
            seconds[name].append(watch.measure(case))
    enough = watch.seconds >= watch.least
    load = watch.load()
    if enough and watch.disturbs(load):
        print(f"disturbed, where a measurement bears {watch.limit:.2f} cores: {load}", file=sys.stderr)
    return seconds


def ratios(seconds: Mapping[str, list[float]], case: str, reference: str) -> list[float]:
    """The time of `case` divided by that of `reference` in the same round, for every round."""
    pairs = zip(seconds[case], seconds[reference], strict=True)
    return [ours / theirs for ours, theirs in pairs]


def ratio(seconds: Mapping[str, list[float]], case: str, reference: str) -> float:
    """The median of `ratios`."""
    return round(statistics.median(ratios(seconds, case, reference)), 4)


def ratio_of_medians(seconds: Mapping[str, list[float]], case: str, reference: str) -> float:
    """The median time of `case` divided by that of `reference`: what a reader gets from two medians."""
    return round(statistics.median(seconds[case]) / statistics.median(seconds[reference]), 4)


def peak_memory() -> int:
    """Largest resident memory of this process so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux; its getrusage() counts what the parent held as well
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def peak_memory_of_descendants() -> int:
    """Largest resident memory of the processes that this one started, and those they started, in bytes.

    The sum of each one's own pages at their peak, and of the file pages (programs, libraries) of the one that
    has most of them, since they share these. Only for processes that still run; Linux alone tells it.

    Raises:
        BenchmarkError: another system.
    """
    if not Path("/proc/self/status").exists():
        raise BenchmarkError("the memory of other processes is measured on Linux only")
    own = shared = 0
    for process in psutil.Process().children(recursive=True):
        with suppress(OSError, psutil.Error):  # it has ended meanwhile
            peak, file = _peak_and_file_pages(Path(f"/proc/{process.pid}/status").read_text())
            own += max(peak - file, 0)
            shared = max(shared, file)
    return own + shared


def _peak_and_file_pages(status: str) -> tuple[int, int]:
    values = dict(line.split(":", 1) for line in status.splitlines())
    if "VmHWM" not in values:
        return 0, 0  # it has ended and waits for its parent
    peak, file = (int(values[key].split()[0]) * 1024 for key in ("VmHWM", "RssFile"))
    return peak, file


def in_child(function: Callable[..., Any], *given: Any, quiet: bool = False) -> Any:
    """What the function returns in a fresh process; it must be importable, and its result picklable.

    Args:
        function, given: what is called.
        quiet: what the process prints is kept, and shown where it fails in a way that nobody expected;
            libraries greet with dozens of lines that are no error.

    Raises:
        BenchmarkError: the process died; with what it printed last. What the function raises is raised.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    with tempfile.NamedTemporaryFile(prefix="esrgan-bench-", suffix=".log") as log:
        process = context.Process(
            target=_call, args=(theirs, log.name if quiet else None, function, given), daemon=True
        )
        process.start()
        theirs.close()
        try:
            result, error = ours.recv()
        except EOFError as death:
            name = getattr(function, "__name__", str(function))
            raise BenchmarkError(f"{name}: the process died{last_words(Path(log.name))}") from death
        finally:
            ours.close()
            process.kill()  # it has answered, or nobody waits for its answer any more
            process.join()
        if error is None:
            return result
        if not isinstance(error, EsrganError):
            sys.stderr.write(Path(log.name).read_text(encoding="utf-8", errors="replace"))
        raise error


def _call(pipe: Connection, log: str | None, function: Callable[..., Any], given: tuple[Any, ...]) -> None:
    """The other side; where nobody listens any more the answer is lost, and the process ends."""
    if log is not None:
        print_into(log)
    try:
        answer = function(*given), None
    except Exception as error:  # whatever it raises is its answer
        if not isinstance(error, EsrganError):
            error.add_note(traceback.format_exc())  # a traceback does not pass through the pipe
        answer = None, error
    pipe.send(answer)


def print_into(log: str) -> None:
    """From now on what this process prints, its libraries in C too, goes to the end of that file."""
    with Path(log).open("ab", buffering=0) as file:
        for number in (1, 2):  # whatever became of the streams
            os.dup2(file.fileno(), number)


def last_words(log: Path) -> str:
    """The end of what a process printed, to be added to a sentence; "" where it printed nothing."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return ": " + " | ".join(lines[-LAST_LINES:]) if lines else ""
