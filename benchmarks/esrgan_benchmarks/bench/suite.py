"""A whole run of the benchmark: the machine's ceiling, case after case, then quality; rows as they come."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from esrgan_benchmarks.bench.harness import LIMIT, RUNS, LeftOut, Outcome, Progress, measure_case
from esrgan_benchmarks.bench.quality import measure_bicubic, measure_quality
from esrgan_benchmarks.core.cases import Case, work_of
from esrgan_benchmarks.core.ceiling import ceiling
from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_benchmarks.core.load import Load, Watch
from esrgan_benchmarks.core.measure import in_child
from esrgan_benchmarks.core.record import Row, append
from esrgan_benchmarks.core.rounds import PATIENCE
from esrgan_benchmarks.runtimes.base import Runtime
from esrgan_torch.errors import EsrganError
from esrgan_weights.errors import FetchError
from esrgan_weights.loading import load

LIBRARY = "esrgan-torch"
TRIES = 3  # of what is measured in one go, where others disturb it


@dataclass(frozen=True)
class Plan:
    """What a run measures.

    Args:
        cases: those of one network after one another, so that its copies are made once. A runtime that is
            too slow for one is not tried on those with more work.
        runtimes: the reference first.
        threads: for every runtime that can be told.
        device: "cpu" or "cuda".
        isa, runs, limit, keep_disturbed: see `measure_case`.
        dataset: pictures for the quality of networks, or None.
        rated: the networks that are measured on them.
    """

    cases: Sequence[Case]
    runtimes: Sequence[Runtime]
    threads: int
    device: str = "cpu"
    isa: str | None = None
    runs: int = RUNS
    limit: float = LIMIT
    keep_disturbed: bool = False
    dataset: Path | None = None
    rated: Sequence[str] = ()

    @property
    def steps(self) -> int:
        """How many times `run_suite` reports that a step is done."""
        return 1 + len(self.cases) + (1 + len(self.rated) if self.dataset is not None else 0)


class Listener(Progress, Protocol):
    """Told what a run does and what came of it."""

    def step(self, rows: list[Row], left_out: list[LeftOut]) -> None:
        """A step is done and its rows are stored."""


def run_suite(plan: Plan, results: Path, listener: Listener, watch: Watch | None = None) -> Outcome:
    """Measure everything; the rows of a step are stored when it is done, so what stops the run loses no more.

    Args:
        plan: what is measured.
        results: folder of rows.
        listener: told what happens.
        watch: of what others use; None: one for the plan's threads.

    Raises:
        KeyboardInterrupt: stopped by the user; what is stored stays.
    """
    total = Outcome()
    run = {"run": datetime.now(UTC).isoformat(timespec="seconds")}
    watch = Watch(plan.threads) if watch is None else watch

    def store(benchmark: str, outcome: Outcome) -> None:
        append(benchmark, [{**row, **run} for row in outcome.rows], results)
        append("left-out", [{**asdict(item), **run} for item in outcome.left_out], results)
        total.rows += outcome.rows
        total.left_out += outcome.left_out
        listener.step(outcome.rows, outcome.left_out)

    listener("the machine's ceiling")
    # held to fewer instructions, the machine has another one
    store("ceiling", _ceiling(plan, watch) if plan.isa is None else Outcome())
    slow: dict[str, tuple[int, Case]] = {}  # by runtime: the least work that was too much, and its case
    networks = list(dict.fromkeys(case.network for case in plan.cases))
    with tempfile.TemporaryDirectory(prefix="esrgan-bench-") as folder:
        for case in plan.cases:
            work = work_of(load(case.network), case.shape).multiply_adds
            copies = Path(folder) / str(networks.index(case.network))
            outcome = _measure(plan, case, work, slow, copies, watch, listener)
            for item in outcome.left_out:
                if item.slow and (item.runtime not in slow or work < slow[item.runtime][0]):
                    slow[item.runtime] = work, case
            store("runtimes", outcome)
    if plan.dataset is not None:
        store("quality", Outcome([measure_bicubic(plan.dataset)]))
        for network in plan.rated:
            listener(f"{network} on {plan.dataset.name}")
            store("quality", _quality(plan, network, plan.dataset, watch))
    return total


def _measure(
    plan: Plan,
    case: Case,
    work: int,
    slow: dict[str, tuple[int, Case]],
    folder: Path,
    watch: Watch,
    listener: Listener,
) -> Outcome:
    """A case in the runtimes that have not been too slow for as much work; the reference is always asked for
    its picture."""
    reference, *others = plan.runtimes
    tired = [
        LeftOut(str(case), each.name, f"not tried: too slow for {slow[each.name][1]}", slow=True)
        for each in others
        if each.name in slow and work >= slow[each.name][0]
    ]
    names = [item.runtime for item in tired]
    try:
        outcome = measure_case(
            case,
            [reference, *(each for each in others if each.name not in names)],
            plan.threads,
            device=plan.device,
            isa=plan.isa,
            runs=plan.runs,
            limit=plan.limit,
            folder=folder,
            patience=0.0 if plan.keep_disturbed else PATIENCE,
            keep_disturbed=plan.keep_disturbed,
            watch=watch,
            progress=listener,
        )
    except BenchmarkError as error:  # the reference gave no picture: this case is lost, the next may do
        return Outcome([], [LeftOut(str(case), reference.name, f"the case is lost: {error}"), *tired])
    return Outcome(outcome.rows, [*outcome.left_out, *tired])


def _ceiling(plan: Plan, watch: Watch) -> Outcome:
    rows, load = _undisturbed(watch, ceiling, plan.threads, plan.device)
    marked = [{**row, "others": load.taken, "disturbed": watch.disturbs(load)} for row in rows]
    if plan.keep_disturbed or not watch.disturbs(load):
        return Outcome(marked)
    return Outcome([], [LeftOut("the machine's ceiling", "all", _disturbed(load, watch))])


def _quality(plan: Plan, network: str, dataset: Path, watch: Watch) -> Outcome:
    """The row of a network; without a time where others disturbed it, which a picture does not mind."""
    case = f"quality of {network}"
    try:
        row, load = _undisturbed(watch, measure_quality, network, dataset, plan.threads, plan.device)
    except EsrganError as error:
        return Outcome([], [LeftOut(case, LIBRARY, reason_of(error))])
    row |= {"others": load.taken, "disturbed": watch.disturbs(load)}
    if plan.keep_disturbed or not watch.disturbs(load):
        return Outcome([row])
    reason = f"only its time is missing, {_disturbed(load, watch)}"
    return Outcome([{**row, "seconds_a_megapixel": None}], [LeftOut(case, LIBRARY, reason)])


def reason_of(error: EsrganError) -> str:
    """Why, in a sentence without the addresses and folders that some errors list."""
    first = str(error).splitlines()[0].rstrip(":")
    if isinstance(error, FetchError):
        return f"{first}; {len(error.failures)} were tried, `esrgan weights fetch` says more"
    return first


def _undisturbed(watch: Watch, function: Callable[..., Any], *given: Any) -> tuple[Any, Load]:
    """What the function returns in a process of its own, at best while others were quiet; what they used."""
    load = Load(0.0)
    result = None
    for _ in range(TRIES):
        watch.load()
        result = watch.measure(lambda: in_child(function, *given, quiet=True))
        load = watch.load()
        if not watch.disturbs(load):
            break
    return result, load


def _disturbed(load: Load, watch: Watch) -> str:
    return f"disturbed, where a measurement bears {watch.limit:.2f} cores: {load}"
