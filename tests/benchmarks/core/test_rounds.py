"""Rounds on a machine whose load is known: quiet ones count, disturbed ones are repeated or marked."""

import time

import pytest

from esrgan_benchmarks.core import load, rounds
from esrgan_benchmarks.core.load import Load, Watch
from esrgan_benchmarks.core.rounds import take_rounds


class Scripted(Watch):
    """Tells given loads.

    Args:
        loads: cores that others use, one for each stretch that was measured; the last one stays.
    """

    def __init__(self, *loads: float) -> None:
        super().__init__(1, least=0.0)
        self.limit = 0.1
        self._loads = list(loads)

    def load(self) -> Load:
        if not self.seconds:
            return Load(0.0)  # asked to begin anew
        super().load()
        return Load(self._loads.pop(0) if len(self._loads) > 1 else self._loads[0])


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "rest", lambda: None)


def count(calls: list[str], name: str) -> float:
    calls.append(name)
    return float(len(calls))


def test_quiet_rounds_all_count_and_runtimes_take_turns() -> None:
    calls: list[str] = []
    cases = {name: (lambda name=name: count(calls, name)) for name in "ab"}
    found = take_rounds(cases, 3, Scripted(0.0), patience=0)
    assert calls == ["a", "b"] * 3
    assert [dict(each.seconds) for each in found.kept] == [
        {"a": 1, "b": 2},
        {"a": 3, "b": 4},
        {"a": 5, "b": 6},
    ]
    assert (found.disturbed, found.repeated) == (0, 0)


def test_a_disturbed_round_is_repeated() -> None:
    calls: list[str] = []
    found = take_rounds({"a": lambda: count(calls, "a")}, 3, Scripted(0.0, 0.9, 0.0, 0.0), patience=0)
    assert [each.seconds["a"] for each in found.kept] == [1, 3, 4]
    assert (found.disturbed, found.repeated) == (0, 1)


def test_where_it_stays_busy_the_least_disturbed_rounds_are_kept_in_their_order() -> None:
    calls: list[str] = []
    watch = Scripted(0.9, 0.5, 0.0, 0.7, 0.8, 0.6)
    found = take_rounds({"a": lambda: count(calls, "a")}, 3, watch, patience=0)
    assert len(calls) == 6
    assert [(each.seconds["a"], each.load.taken) for each in found.kept] == [(2, 0.5), (3, 0.0), (6, 0.6)]
    assert (found.disturbed, found.repeated) == (2, 3)
    assert found.load == Load(0.6)


def test_a_round_that_is_too_short_to_be_judged_takes_several_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([1.0, 10.0, 5.0, 50.0, 3.0, 30.0])
    watch = Scripted(0.0)
    watch.least = 5.0
    readings = (load.Reading(float(at)) for at in range(100))
    monkeypatch.setattr(load, "read", lambda: next(readings))
    run = lambda: next(seconds)  # noqa: E731  # each takes a second
    (found,) = take_rounds({"a": run, "b": run}, 1, watch, patience=0).kept
    assert found.seconds == {"a": 3.0, "b": 30.0}


def test_before_a_round_it_waits_for_others_but_not_for_ever() -> None:
    told: list[str] = []
    watch = Scripted(0.9, 0.9, 0.0, 0.05, 0.06)
    watch.least = 0.01
    found = take_rounds({"a": lambda: 1.0}, 2, watch, patience=1.0, progress=told.append)
    assert told == ["waits: other processes used 0.90 cores"] * 2 + ["round 1 of 2", "round 2 of 2"]
    assert [each.load.taken for each in found.kept] == [0.05, 0.06]
    busy = Scripted(0.9)
    busy.least = 0.01
    assert take_rounds({"a": lambda: 1.0}, 2, busy, patience=0.05).disturbed == 2


def test_rest_waits_until_what_we_have_started_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    slept: list[float] = []
    used = iter([0.0, 0.06, 0.10, 0.11, 9.0])  # a pool that spins, and stops
    monkeypatch.setattr(rounds, "seconds_of", lambda processes: next(used))
    monkeypatch.setattr(rounds.time, "sleep", slept.append)
    rounds.rest()
    assert len(slept) == 3
    assert next(used) == 9.0


def test_rest_ends_where_something_never_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(rounds, "LONGEST_REST", 0.05)
    monkeypatch.setattr(rounds, "seconds_of", lambda processes: time.perf_counter())
    started = time.perf_counter()
    rounds.rest()
    assert time.perf_counter() - started >= 0.05
