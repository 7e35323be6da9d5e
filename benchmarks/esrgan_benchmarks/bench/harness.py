"""One case through all runtimes: open, warm up, compare pictures, measure in turn, make rows."""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from esrgan_benchmarks.bench.child import RUN_SECONDS, Child, Opened
from esrgan_benchmarks.bench.parity import Parity, check
from esrgan_benchmarks.core.artefacts import make_artefacts
from esrgan_benchmarks.core.cases import Case, Work, sample, work_of
from esrgan_benchmarks.core.errors import BenchmarkError, RuntimeFailedError, TooSlowError
from esrgan_benchmarks.core.load import Load, Watch
from esrgan_benchmarks.core.measure import Spread, in_child, ratio_of_medians, ratios
from esrgan_benchmarks.core.record import Row
from esrgan_benchmarks.core.rounds import PATIENCE, Rounds, take_rounds
from esrgan_benchmarks.runtimes.base import Runtime, Setting
from esrgan_bridge.parity.probes import Batch
from esrgan_torch.engines.devices import free_memory, resolve_device
from esrgan_torch.errors import EsrganError
from esrgan_weights import load

RUNS = 7
LIMIT = 20.0  # seconds that a runtime may take for its runs of one case
COMPILING = 90.0  # seconds that a runtime which compiles may take for its first run
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


@dataclass(frozen=True)
class _Started:
    """A runtime that has answered."""

    child: Child
    opened: Opened
    first_call: float
    pace: float  # seconds of a run
    answer: Batch
    load: Load  # what others used meanwhile


@dataclass(frozen=True)
class _Candidate:
    """A runtime whose picture is right, ready to be measured."""

    started: _Started
    parity: Parity


def measure_case(
    case: Case,
    runtimes: Sequence[Runtime],
    threads: int,
    *,
    device: str = "cpu",
    isa: str | None = None,
    runs: int = RUNS,
    limit: float = LIMIT,
    folder: Path | None = None,
    patience: float = PATIENCE,
    keep_disturbed: bool = False,
    watch: Watch | None = None,
    progress: Progress = lambda text: None,
) -> Outcome:
    """Measure a case in every runtime, interleaved; each in a process of its own.

    Args:
        case: what is computed.
        runtimes: the reference first; one that fails, is wrong or too slow is left out, the others go on.
            Where that is the reference, which must give its picture all the same, they have no ratio.
        threads: for every runtime that can be told.
        device: "cpu" or "cuda".
        isa: the most instructions that they may use, see `Setting`; who cannot be held to them is left out.
        runs: counted runs of each.
        limit: seconds that a runtime may take for them.
        folder: of the copies of this network that runtimes read, kept for the next case; None: a
            temporary one.
        patience: seconds to wait in all, before rounds, for others to be done.
        keep_disturbed: rows, marked, also where others disturbed the rounds; else such a case has none.
        watch: of what others use; None: one with that many threads.
        progress: told what happens.

    Raises:
        BenchmarkError: the reference gave no picture, so nothing can be compared.
        WeightsError: there is no such network.
    """
    model = load(case.network)
    work = work_of(model, case.shape)
    outcome = Outcome()
    watch = Watch(threads) if watch is None else watch

    def leave_out(runtime: Runtime, reason: str, *, slow: bool = False) -> None:
        words = reason.removeprefix(f"{runtime.name}: ")
        outcome.left_out.append(LeftOut(str(case), runtime.name, words, slow))

    with ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="esrgan-bench-")))
        setting = Setting(case.network, folder, threads, device, isa)
        possible: list[Runtime] = []
        for runtime in runtimes:
            if reason := runtime.missing() or runtime.refuses(case.network) or _not_held(runtime, isa):
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
                started = _start(child, batch, limit, watch, is_reference=expected is None)
                expected = started.answer if expected is None else expected
                border = runtime.border * model.scale
                dtype = started.opened.dtype
                parity = check(runtime.name, dtype, started.answer, expected, border, runtime.floor)
                _check_pace(started, runs, limit, watch)
            except BenchmarkError as error:
                if expected is None:
                    raise
                leave_out(runtime, str(error), slow=isinstance(error, TooSlowError))
                child.close()
                continue
            candidates[runtime.name] = _Candidate(started, parity)
        if not candidates:
            return outcome
        rounds, alive = _take_turns(case, candidates, runs, watch, leave_out, progress, patience)
        if rounds.disturbed and not keep_disturbed:
            outcome.left_out.append(LeftOut(str(case), "all", _disturbed(rounds, watch)))
            return outcome
        reference = runtimes[0].name if runtimes[0].name in alive else None
        for candidate in alive.values():
            row = _row(case, candidate, rounds, reference, work)
            row["disturbed_start"] = watch.disturbs(candidate.started.load)
            outcome.rows.append({**row, "threads_asked": threads, "device": device, "isa": isa})
    return outcome


def _not_held(runtime: Runtime, isa: str | None) -> str | None:
    return None if isa is None or isa in runtime.isas else f"it cannot be held to {isa.upper()}"


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
        failed: dict[str, str] = in_child(make_artefacts, network, folder, needs, quiet=True)
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


def _start(child: Child, batch: Batch, limit: float, watch: Watch, *, is_reference: bool) -> _Started:
    """Load, warm up, answer. The reference is granted the time for its picture, whatever the limit."""
    watch.load()
    try:
        opened = watch.measure(child.open)
        child.feed(batch)
        granted = max(limit, COMPILING) if child.runtime.compiles else limit
        pace = first_call = watch.measure(lambda: child.run(RUN_SECONDS if is_reference else granted))
        if not is_reference or first_call <= limit:
            pace = watch.measure(lambda: child.run(limit))  # the first one may have compiled or allocated
        answer = child.answer()
    except TooSlowError as error:
        raise TooSlowError(f"{error}{_meanwhile(watch.load(), watch)}") from error
    return _Started(child, opened, first_call, pace, answer, watch.load())


def _check_pace(started: _Started, runs: int, limit: float, watch: Watch) -> None:
    if started.pace * runs > limit:
        raise TooSlowError(
            f"{started.child.runtime.name}: too slow here: one run takes {started.pace:.1f} s, and "
            f"{limit:.0f} s are granted for {runs} runs{_meanwhile(started.load, watch)}"
        )


def _meanwhile(load: Load, watch: Watch) -> str:
    return f"; meanwhile {load}" if watch.disturbs(load) else ""


def _disturbed(rounds: Rounds, watch: Watch) -> str:
    return (
        f"disturbed: in {rounds.disturbed + rounds.repeated} of {len(rounds.kept) + rounds.repeated} rounds "
        f"more was taken than the {watch.limit:.2f} cores that a measurement bears: {rounds.load}"
    )


def _take_turns(
    case: Case,
    candidates: dict[str, _Candidate],
    runs: int,
    watch: Watch,
    leave_out: Callable[[Runtime, str], None],
    progress: Progress,
    patience: float,
) -> tuple[Rounds, dict[str, _Candidate]]:
    """The rounds, and the runtimes that lived through all of them."""
    dead: set[str] = set()

    def run(name: str) -> float:
        child = candidates[name].started.child
        if name not in dead:
            try:
                return child.run()
            except RuntimeFailedError as error:
                dead.add(name)
                leave_out(child.runtime, str(error))
        return float("nan")

    cases = {name: (lambda name=name: run(name)) for name in candidates}
    rounds = take_rounds(
        cases, runs, watch, patience=patience, progress=lambda text: progress(f"{case}: {text}")
    )
    return rounds, {name: candidate for name, candidate in candidates.items() if name not in dead}


def _row(case: Case, candidate: _Candidate, rounds: Rounds, reference: str | None, work: Work) -> Row:
    started = candidate.started
    name = started.child.runtime.name
    peak, device_peak = started.child.peaks()
    seconds = {
        each: [one.seconds[each] for one in rounds.kept] for each in {name, reference} if each is not None
    }
    return {
        "network": case.network,
        "shape": list(case.shape),
        "runtime": name,
        "dtype": started.opened.dtype,
        "engine": started.child.engine(),
        "seconds": Spread.of(seconds[name]).as_dict(),
        "reference": reference,
        "ratio": ratio_of_medians(seconds, name, reference) if reference else None,
        "of_reference": Spread.of(ratios(seconds, name, reference)).as_dict() if reference else None,
        "rounds": [round(value, 6) for value in seconds[name]],
        "others": [each.load.taken for each in rounds.kept],
        "disturbed": rounds.disturbed,
        "repeated": rounds.repeated,
        "load": round(started.opened.seconds, 3),
        "first_call": round(started.first_call, 4),
        "peak": peak,
        "device_peak": device_peak,
        "largest": float(f"{candidate.parity.largest:.3g}"),
        "psnr": candidate.parity.psnr,
        "gflops": float(f"{2 * work.multiply_adds / statistics.median(seconds[name]) / 1e9:.4g}"),
        "intensity": round(work.intensity, 1),
        "versions": started.opened.facts,
    }
