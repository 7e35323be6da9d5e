"""A whole run of the benchmark: the machine's ceiling, case after case, then quality; rows as they come."""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from esrgan_benchmarks.cases import Case, work_of
from esrgan_benchmarks.ceiling import ceiling
from esrgan_benchmarks.errors import BenchmarkError
from esrgan_benchmarks.harness import LIMIT, RUNS, LeftOut, Outcome, Progress, measure_case
from esrgan_benchmarks.measure import in_child
from esrgan_benchmarks.quality import measure_bicubic, measure_quality, networks
from esrgan_benchmarks.record import Row, append
from esrgan_benchmarks.runtimes.base import Runtime
from esrgan_torch.errors import EsrganError
from esrgan_weights.loading import load


@dataclass(frozen=True)
class Plan:
    """What a run measures.

    Args:
        cases: those of one network after one another, so that its copies are made once. A runtime that is
            too slow for one is not tried on those with more work.
        runtimes: the reference first.
        threads: for every runtime that can be told.
        device: "cpu" or "cuda".
        runs, limit: see `measure_case`.
        dataset: pictures for the quality of every network, or None.
    """

    cases: Sequence[Case]
    runtimes: Sequence[Runtime]
    threads: int
    device: str = "cpu"
    runs: int = RUNS
    limit: float = LIMIT
    dataset: Path | None = None

    @property
    def steps(self) -> int:
        """How many times `run_suite` reports that a step is done."""
        return 1 + len(self.cases) + (1 + len(networks()) if self.dataset is not None else 0)


class Listener(Progress, Protocol):
    """Told what a run does and what came of it."""

    def step(self, rows: list[Row], left_out: list[LeftOut]) -> None:
        """A step is done and its rows are stored."""


def run_suite(plan: Plan, results: Path, listener: Listener) -> Outcome:
    """Measure everything; the rows of a step are stored when it is done, so what stops the run loses no more.

    Raises:
        KeyboardInterrupt: stopped by the user; what is stored stays.
    """
    total = Outcome()
    run = {"run": datetime.now(UTC).isoformat(timespec="seconds")}

    def store(benchmark: str, rows: list[Row], left_out: list[LeftOut]) -> None:
        append(benchmark, [{**row, **run} for row in rows], results)
        append("left-out", [{**asdict(item), **run} for item in left_out], results)
        total.rows += rows
        total.left_out += left_out
        listener.step(rows, left_out)

    listener("the machine's ceiling")
    store("ceiling", in_child(ceiling, plan.threads, plan.device), [])
    slow: dict[str, tuple[int, Case]] = {}  # by runtime: the least work that was too much, and its case
    with tempfile.TemporaryDirectory(prefix="esrgan-bench-") as folder:
        for case in plan.cases:
            copies = Path(folder) / Path(case.network).name
            work = work_of(load(case.network), case.shape).multiply_adds
            tired = {name: at for name, (least, at) in slow.items() if work >= least}
            try:
                outcome = measure_case(
                    case,
                    [runtime for runtime in plan.runtimes if runtime.name not in tired],
                    plan.threads,
                    device=plan.device,
                    runs=plan.runs,
                    limit=plan.limit,
                    folder=copies,
                    progress=listener,
                )
            except BenchmarkError as error:  # the reference failed: this case is lost, the next may do
                reference = plan.runtimes[0].name
                outcome = Outcome([], [LeftOut(str(case), reference, f"the case is lost: {error}")])
            # who was tried had not yet been too slow for as much, so this is less than what is there
            slow |= {item.runtime: (work, case) for item in outcome.left_out if item.slow}
            outcome.left_out += [
                LeftOut(str(case), name, f"not tried: too slow for {at}", slow=True)
                for name, at in tired.items()
            ]
            store("runtimes", outcome.rows, outcome.left_out)
    if plan.dataset is not None:
        store("quality", [measure_bicubic(plan.dataset)], [])
        for network in networks():
            listener(f"{network} on {plan.dataset.name}")
            try:
                row = in_child(measure_quality, network, plan.dataset, plan.threads, plan.device)
            except EsrganError as error:
                reason = str(error).splitlines()[0]  # what follows are addresses and folders of this machine
                store("quality", [], [LeftOut(f"quality of {network}", "esrgan-torch", reason)])
            else:
                store("quality", [row], [])
    return total
