"""The harness, on runtimes whose time, answer, memory and end are known."""

import statistics
from pathlib import Path

import pytest

from esrgan_benchmarks.bench import child as child_module
from esrgan_benchmarks.bench.harness import Outcome, measure_case
from esrgan_benchmarks.core.cases import Case
from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_benchmarks.core.load import Watch, available_cores
from esrgan_benchmarks.runtimes.base import Runtime
from esrgan_torch.networks.compact import CompactNet
from esrgan_weights import save
from tests.support.fakes import Alone, Careless, Fake, somebody_else

MIB = 2**20


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("network") / "tiny.safetensors"
    return str(save(CompactNet(features=8, convolutions=1), path))


def measure(
    network: str,
    *runtimes: Runtime,
    runs: int = 5,
    limit: float = 60.0,
    taken: float = 0.01,
    patience: float = 0.0,
    keep_disturbed: bool = False,
) -> Outcome:
    return measure_case(
        Case(network, 12, 10),
        runtimes,
        1,
        runs=runs,
        limit=limit,
        watch=Alone(taken),
        patience=patience,
        keep_disturbed=keep_disturbed,
    )


def test_the_ratio_of_two_that_sleep_is_right(network: str) -> None:
    outcome = measure(network, Fake("one", sleep=0.02), Fake("three", sleep=0.06))
    one, three = outcome.rows
    assert outcome.left_out == []
    assert one["of_reference"]["median"] == 1.0
    assert 0.06 <= three["seconds"]["median"] < 0.12
    assert 2.0 < three["of_reference"]["median"] < 4.0
    assert three["of_reference"]["lower"] <= three["of_reference"]["median"] <= three["of_reference"]["upper"]
    assert three["seconds"]["runs"] == 5
    operations = 2 * 12 * 10 * 9 * (3 * 8 + 8 * 8 + 8 * 48)
    assert three["gflops"] == pytest.approx(operations / three["seconds"]["median"] / 1e9, rel=1e-3)


def test_a_row_says_what_is_needed_to_read_it(network: str) -> None:
    (row,) = measure(network, Fake("one", sleep=0.001)).rows
    assert row["shape"] == [1, 12, 10, 3]
    assert (row["runtime"], row["dtype"], row["network"]) == ("one", "float32", network)
    assert (row["threads_asked"], row["device"], row["versions"]) == (1, "cpu", {"fake": "1.0"})
    assert (row["psnr"], row["largest"]) == (None, 0.0)
    assert row["load"] >= 0
    assert row["first_call"] >= 0.001
    assert (row["others"], row["disturbed"], row["repeated"]) == ([0.01] * 5, 0, 0)


def test_every_ratio_can_be_recomputed_from_the_rounds(network: str) -> None:
    one, three = measure(network, Fake("one", sleep=0.02), Fake("three", sleep=0.06)).rows
    mine, theirs = three["rounds"], one["rounds"]
    assert len(mine) == len(theirs) == 5
    assert three["reference"] == one["reference"] == "one"
    assert three["ratio"] == pytest.approx(statistics.median(mine) / statistics.median(theirs), abs=1e-3)
    pairs = [ours / others for ours, others in zip(mine, theirs, strict=True)]
    assert three["of_reference"]["median"] == pytest.approx(statistics.median(pairs), abs=1e-3)


def test_a_case_that_stays_disturbed_has_no_row_and_says_by_how_much(network: str) -> None:
    outcome = measure(network, Fake("one"), Fake("two"), runs=2, taken=0.9, patience=0)
    assert outcome.rows == []
    (item,) = outcome.left_out
    assert item.runtime == "all"
    assert item.reason == (
        "disturbed: in 4 of 4 rounds more was taken than the 0.10 cores that a measurement bears: "
        "other processes used 0.90 cores"
    )


def test_a_process_that_holds_a_core_costs_the_rows(network: str) -> None:
    cores = available_cores()
    with somebody_else():
        outcome = measure_case(
            Case(network, 12, 10),
            [Fake("one", sleep=0.1)],
            cores,
            runs=2,
            patience=0,
            watch=Watch(cores, 0.2),
        )
    assert outcome.rows == []
    (item,) = outcome.left_out
    assert item.reason.startswith("disturbed: in ")
    assert "other processes used" in item.reason


def test_disturbed_rows_are_marked_where_they_are_asked_for(network: str) -> None:
    outcome = measure(network, Fake("one"), runs=2, taken=0.9, keep_disturbed=True)
    (row,) = outcome.rows
    assert (row["others"], row["disturbed"], row["repeated"]) == ([0.9, 0.9], 2, 2)
    assert row["disturbed_start"] is True


def test_a_wrong_picture_is_an_error_and_no_row(network: str) -> None:
    outcome = measure(network, Fake("right"), Fake("wrong", shift=0.05), Fake("nan", shift=float("nan")))
    assert [row["runtime"] for row in outcome.rows] == ["right"]
    wrong, nan = outcome.left_out
    assert (wrong.runtime, nan.runtime) == ("wrong", "nan")
    assert "another picture" in wrong.reason
    assert "NaN" in nan.reason


def test_a_half_precision_may_be_a_little_off(network: str) -> None:
    outcome = measure(network, Fake("right"), Fake("half", shift=0.003, dtype="bfloat16"))
    assert [row["runtime"] for row in outcome.rows] == ["right", "half"]
    assert outcome.rows[1]["psnr"] < 50


def test_one_that_crashes_is_reported_and_the_others_go_on(network: str) -> None:
    outcome = measure(
        network, Fake("first"), Fake("dies at once", dies_at=0), Fake("dies later", dies_at=4), Fake("last")
    )
    assert [row["runtime"] for row in outcome.rows] == ["first", "last"]
    reasons = {item.runtime: item.reason for item in outcome.left_out}
    assert "the process died with status 7: the last words" in reasons["dies at once"]
    assert "the process died with status -9" in reasons["dies later"]


def test_a_crash_of_the_reference_ends_the_case(network: str) -> None:
    with pytest.raises(BenchmarkError, match="died with status 7"):
        measure(network, Fake("first", dies_at=0), Fake("last"))


def test_a_leak_shows_in_the_memory(network: str) -> None:
    tight, leaky = measure(network, Fake("tight"), Fake("leaky", leak=20 * MIB)).rows
    # two runs before the five that count
    assert 6.9 * 20 * MIB <= leaky["peak"] - tight["peak"] < 9 * 20 * MIB


def test_one_that_is_not_installed_is_told_with_the_command(network: str) -> None:
    outcome = measure(network, Fake("here"), Fake("not here", lacks="pip install it"))
    assert [(item.runtime, item.reason) for item in outcome.left_out] == [("not here", "pip install it")]


def test_one_that_is_too_slow_is_left_out(network: str) -> None:
    outcome = measure(network, Fake("fast"), Fake("slow", sleep=0.2), limit=0.5)
    assert [row["runtime"] for row in outcome.rows] == ["fast"]
    assert "one run takes 0.2 s" in outcome.left_out[0].reason


def test_a_slow_reference_loses_its_own_cell_only(network: str) -> None:
    outcome = measure(network, Fake("slow", sleep=0.2), Fake("fast"), Fake("wrong", shift=0.05), limit=0.5)
    (fast,) = outcome.rows
    assert (fast["runtime"], fast["ratio"], fast["of_reference"], fast["reference"]) == (
        "fast",
        None,
        None,
        None,
    )
    slow, wrong = outcome.left_out
    assert (slow.runtime, slow.slow) == ("slow", True)
    assert "one run takes 0.2 s" in slow.reason
    # its picture is what the others are compared with all the same
    assert "another picture" in wrong.reason


def test_a_reference_whose_single_run_takes_longer_than_all_may_gives_its_picture(network: str) -> None:
    outcome = measure(network, Fake("slow", sleep=0.5), Fake("fast"), limit=0.3)
    assert [row["runtime"] for row in outcome.rows] == ["fast"]


def test_what_others_used_is_said_of_one_that_is_too_slow(network: str) -> None:
    outcome = measure(
        network, Fake("fast"), Fake("slow", sleep=0.2), limit=0.5, taken=0.9, keep_disturbed=True
    )
    assert outcome.left_out[0].reason.endswith("; meanwhile other processes used 0.90 cores")


def test_one_that_hangs_is_ended(network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "OPEN_SECONDS", 5.0)
    outcome = measure(network, Fake("fast"), Careless(tmp_path / "it-ran"))
    assert (tmp_path / "it-ran").exists()
    assert [row["runtime"] for row in outcome.rows] == ["fast"]
    assert "no answer to 'open' within 5 s" in outcome.left_out[0].reason
