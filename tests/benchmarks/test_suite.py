"""A whole run: what is stored, and who is not asked again."""

from pathlib import Path

import pytest

from esrgan_benchmarks.cases import Case
from esrgan_benchmarks.harness import LeftOut
from esrgan_benchmarks.record import Row, read
from esrgan_benchmarks.suite import Plan, run_suite
from esrgan_torch.networks.compact import CompactNet
from esrgan_weights import save
from tests.benchmarks.fakes import Fake


class Listener:
    """Nothing is told."""

    def __call__(self, text: str) -> None: ...

    def step(self, rows: list[Row], left_out: list[LeftOut]) -> None: ...


@pytest.fixture
def network(tmp_path: Path) -> str:
    return str(save(CompactNet(features=8, convolutions=1), tmp_path / "tiny.safetensors"))


def test_one_that_is_too_slow_is_not_tried_on_more_work(network: str, tmp_path: Path) -> None:
    runtimes = (Fake("fast"), Fake("slow", sleep=0.2))
    cases = [Case(network, side, side) for side in (8, 12, 4)]
    outcome = run_suite(Plan(cases, runtimes, 1, runs=3, limit=0.5), tmp_path / "rows", Listener())
    measured = [row for row in outcome.rows if "runtime" in row]  # the others are the machine's ceiling
    assert [(row["runtime"], row["shape"][1]) for row in measured] == [("fast", 8), ("fast", 12), ("fast", 4)]
    first, second, third = outcome.left_out
    assert "one run takes 0.2 s" in first.reason
    assert second.reason == f"not tried: too slow for {cases[0]}"
    assert "one run takes 0.2 s" in third.reason  # less work: it gets its chance
    stored = read("left-out", tmp_path / "rows")
    assert [row["reason"] for row in stored] == [item.reason for item in outcome.left_out]
