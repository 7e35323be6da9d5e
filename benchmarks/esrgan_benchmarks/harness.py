"""One case through all runtimes: open, warm up, compare pictures, measure in turn, make rows."""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from esrgan_benchmarks.artefacts import make_artefacts
from esrgan_benchmarks.cases import Case, Work, sample, work_of
from esrgan_benchmarks.child import Child, Opened
from esrgan_benchmarks.errors import BenchmarkError, RuntimeFailedError, TooSlowError
from esrgan_benchmarks.measure import Spread, in_child, interleave, ratios
from esrgan_benchmarks.parity import Parity, check
from esrgan_benchmarks.record import Row
from esrgan_benchmarks.runtimes.base import Runtime, Setting
from esrgan_bridge.probes import Batch
from esrgan_torch.engines.devices import free_memory, resolve_device
from esrgan_torch.errors import EsrganError
from esrgan_weights import load

RUNS = 7
LIMIT = 20.0  # seconds that a runtime may take for its runs of one case
COMPILING = 90.0  # seconds that a runtime which compiles may take for its first run
PAUSE = 0.05  # seconds before a run: threads of OpenMP and of others spin for a moment after theirs
LAYERS_HELD = 3.0  # of `Work.largest`, that an untiled run holds at its peak; PyTorch was measured at 2.1


@dataclass(frozen=True)
class LeftOut:
    """A runtime that has no row in a case, and why; `slow`: it took longer than it may."""

    case: str
    runtime: str
    reason: str
    slow: bool = False


@dataclass
class Outcome:
    """What came of a case: its rows, and the runtimes that have none."""

    rows: list[Row] = field(default_factory=list[Row])
    left_out: list[LeftOut] = field(default_factory=list[LeftOut])


class Progress(Protocol):
    """Told what is done now."""

    def __call__(self, text: str) -> None: ...


@dataclass
class _Candidate:
    """A runtime whose picture is right, ready to be measured."""

    child: Child
    opened: Opened
    first_call: float
    parity: Parity


def measure_case(
    case: Case,
    runtimes: Sequence[Runtime],
    threads: int,
    *,
    device: str = "cpu",
    runs: int = RUNS,
    limit: float = LIMIT,
    folder: Path | None = None,
    progress: Progress = lambda text: None,
) -> Outcome:
    """Measure a case in every runtime, interleaved; each in a process of its own.

    Args:
        case: what is computed.
        runtimes: the reference first; one that fails, is wrong or too slow is left out, the others go on.
        threads: for every runtime that can be told.
        device: "cpu" or "cuda".
        runs: counted runs of each.
        limit: seconds that a runtime may take for them.
        folder: of the copies of this network that runtimes read, kept for the next case; None: a
            temporary one.
        progress: told what happens.

    Raises:
        BenchmarkError: the reference failed, so nothing can be compared.
        WeightsError: there is no such network.
    """
    model = load(case.network)
    work = work_of(model, case.shape)
    outcome = Outcome()

    def leave_out(runtime: Runtime, reason: str, *, slow: bool = False) -> None:
        words = reason.removeprefix(f"{runtime.name}: ")
        outcome.left_out.append(LeftOut(str(case), runtime.name, words, slow))

    with ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="esrgan-bench-")))
        setting = Setting(case.network, folder, threads, device)
        possible: list[Runtime] = []
        for runtime in runtimes:
            if reason := runtime.missing() or runtime.refuses(case.network):
                leave_out(runtime, reason)
            else:
                possible.append(runtime)
        possible = _with_artefacts(case.network, folder, possible, leave_out, progress)
        batch = sample(case.shape)
        candidates: dict[str, _Candidate] = {}
        expected: Batch | None = None
        for runtime in possible:
            progress(f"{case}: {runtime.name} starts")
            # closed last, whatever happens between
            child = stack.enter_context(Child(runtime, setting))
            try:
                _check_memory(work, device)
                opened, first_call, found = _start(child, batch, runs, limit)
                expected = found if expected is None else expected
                border = runtime.border * model.scale
                parity = check(runtime.name, opened.dtype, found, expected, border, runtime.floor)
            except BenchmarkError as error:
                if runtime is runtimes[0]:
                    raise
                leave_out(runtime, str(error), slow=isinstance(error, TooSlowError))
                child.close()
                continue
            candidates[runtime.name] = _Candidate(child, opened, first_call, parity)
        seconds = _take_turns(case, candidates, runs, leave_out, progress)
        reference = runtimes[0].name
        for name, candidate in candidates.items():
            if name in seconds:
                row = _row(case, candidate, seconds, reference, work)
                outcome.rows.append({**row, "threads_asked": threads, "device": device})
    return outcome


def _with_artefacts(
    network: str,
    folder: Path,
    runtimes: Sequence[Runtime],
    leave_out: Callable[[Runtime, str], None],
    progress: Progress,
) -> list[Runtime]:
    """The runtimes whose copy of the network could be made."""
    needs = {runtime.needs for runtime in runtimes} - {""}
    if all((folder / need).exists() for need in needs):
        return list(runtimes)
    progress(f"{network}: converting")
    try:
        failed: dict[str, str] = in_child(make_artefacts, network, folder, needs)
    except EsrganError as error:
        failed = dict.fromkeys(needs, str(error))
    for runtime in runtimes:
        if runtime.needs in failed:
            leave_out(runtime, f"its copy of the network cannot be made: {failed[runtime.needs]}")
    return [runtime for runtime in runtimes if runtime.needs not in failed]


def _check_memory(work: Work, device: str) -> None:
    needed = LAYERS_HELD * work.largest
    free = free_memory(resolve_device(device))
    if needed > free:
        raise BenchmarkError(f"needs about {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free")


def _start(child: Child, batch: Batch, runs: int, limit: float) -> tuple[Opened, float, Batch]:
    opened = child.open()
    child.feed(batch)
    first_call = child.run(max(limit, COMPILING) if child.runtime.compiles else limit)
    pace = child.run(limit)  # the first one may have compiled or allocated
    if pace * runs > limit:
        raise TooSlowError(
            f"{child.runtime.name}: too slow here: one run takes {pace:.1f} s, and {limit:.0f} s are granted "
            f"for {runs} runs"
        )
    return opened, first_call, child.answer()


def _take_turns(
    case: Case,
    candidates: dict[str, _Candidate],
    runs: int,
    leave_out: Callable[[Runtime, str], None],
    progress: Progress,
) -> dict[str, list[float]]:
    """Seconds of every run of every runtime that lived through all of them."""
    dead: set[str] = set()
    round_number = 0

    def run(name: str) -> float:
        nonlocal round_number
        if name == next(iter(candidates)):
            round_number += 1
            progress(f"{case}: round {round_number} of {runs}")
        if name not in dead:
            try:
                return candidates[name].child.run()
            except RuntimeFailedError as error:
                dead.add(name)
                leave_out(candidates[name].child.runtime, str(error))
        return float("nan")

    cases = {name: (lambda name=name: run(name)) for name in candidates}
    seconds = interleave(cases, runs, warm_up=0, pause=PAUSE)
    return {name: values for name, values in seconds.items() if name not in dead}


def _row(
    case: Case, candidate: _Candidate, seconds: dict[str, list[float]], reference: str, work: Work
) -> Row:
    name = candidate.child.runtime.name
    peak, device_peak = candidate.child.peaks()
    return {
        "network": case.network,
        "shape": list(case.shape),
        "runtime": name,
        "dtype": candidate.opened.dtype,
        "seconds": Spread.of(seconds[name]).as_dict(),
        "of_reference": Spread.of(ratios(seconds, name, reference)).as_dict(),
        "load": round(candidate.opened.seconds, 3),
        "first_call": round(candidate.first_call, 4),
        "peak": peak,
        "device_peak": device_peak,
        "largest": float(f"{candidate.parity.largest:.3g}"),
        "psnr": candidate.parity.psnr,
        "gflops": float(f"{2 * work.multiply_adds / statistics.median(seconds[name]) / 1e9:.4g}"),
        "intensity": round(work.intensity, 1),
        "versions": candidate.opened.facts,
    }
