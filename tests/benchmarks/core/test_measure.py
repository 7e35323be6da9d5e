"""The harness: what it measures of functions whose time and memory are known."""

import os
import time

import pytest

from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_benchmarks.core.measure import Spread, in_child, interleave, peak_memory, ratio, stopwatch
from tests.support.fakes import Alone


def test_spread_is_median_and_quartiles() -> None:
    spread = Spread.of([5.0, 1.0, 2.0, 4.0, 3.0])
    assert (spread.lower, spread.median, spread.upper, spread.runs) == (2.0, 3.0, 4.0, 5)


def test_cases_take_turns() -> None:
    calls: list[str] = []
    cases = {name: stopwatch(lambda name=name: calls.append(name)) for name in "ab"}
    seconds = interleave(cases, runs=3)
    assert calls == ["a", "b"] + ["a", "b"] * 3
    assert {name: len(values) for name, values in seconds.items()} == {"a": 3, "b": 3}


def test_a_case_that_sleeps_is_seen_to_sleep() -> None:
    seconds = interleave({"slow": stopwatch(lambda: time.sleep(0.03)), "quick": lambda: 0.0}, runs=3)
    assert min(seconds["slow"]) >= 0.03


@pytest.mark.parametrize(("taken", "told"), [(0.9, True), (0.0, False)])
def test_what_others_use_meanwhile_is_said(
    taken: float, told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    interleave({"quick": lambda: 0.0}, runs=2, watch=Alone(taken))
    assert ("disturbed, where a measurement bears 0.10 cores" in capsys.readouterr().err) is told


def test_a_ratio_is_taken_round_by_round() -> None:
    # the machine is ten times slower in the second round: the ratio does not see it
    assert ratio({"ours": [2.0, 20.0, 2.0], "theirs": [1.0, 10.0, 1.0]}, "ours", "theirs") == 2.0


def test_a_case_that_fails_is_an_error() -> None:
    def broken() -> float:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        interleave({"broken": broken}, runs=1)


def allocate(count: int) -> int:
    before = peak_memory()
    block = bytearray(b"x") * count
    return peak_memory() - before if block else 0


def test_the_peak_of_a_child_is_its_own() -> None:
    count = 200 * 2**20
    assert count <= in_child(allocate, count) < 1.2 * count
    assert in_child(allocate, 2**20) < count / 2


def test_a_child_that_fails_is_an_error_here() -> None:
    with pytest.raises(TypeError):
        in_child(allocate, "many")


def chat(fails: bool) -> str:
    os.write(2, b"Unable to register cuDNN factory\n")
    print("hello")
    if fails:
        raise ValueError("unexpected")
    return "done"


def die() -> None:
    os.write(2, b"out of memory\n")
    os._exit(9)


def test_what_a_child_prints_is_shown_only_where_it_fails(capfd: pytest.CaptureFixture[str]) -> None:
    assert in_child(chat, False, quiet=True) == "done"
    assert capfd.readouterr() == ("", "")
    with pytest.raises(ValueError, match="unexpected"):
        in_child(chat, True, quiet=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "Unable to register cuDNN factory\nhello" in err


def test_a_child_that_dies_is_an_error_with_its_last_words() -> None:
    with pytest.raises(BenchmarkError, match="die: the process died: out of memory"):
        in_child(die, quiet=True)
