"""Inputs that change while they are read, and two runs at once; a sample of what `make torture` tries."""

import os
from pathlib import Path

import pytest

from tests.torture import cases
from tests.torture.disturbed import Disturber, inputs
from tests.torture.forks import Forks
from tests.torture.good import Good
from tests.torture.kills import Killer

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here"),
    pytest.mark.xdist_group("torture"),  # one process makes the good files
]


def test_an_input_that_changes_costs_a_line_at_most(forks: Forks, good: Good, tmp_path: Path) -> None:
    [case] = [case for case in inputs(good) if case.name == "weights convert, the model"]
    disturber = Disturber(forks, case, tmp_path)
    assert disturber.openings > 4
    found = list(disturber.tries(step=3))
    assert len(found) > 10
    assert {where: said for where, said in found if said} == {}


def test_a_picture_that_changes_gives_a_whole_result(forks: Forks, good: Good, tmp_path: Path) -> None:
    [case] = [case for case in inputs(good) if case.name == "upscale, a picture"]
    disturber = Disturber(forks, case, tmp_path)
    found = list(disturber.tries(("another", "cut off"), step=9))
    assert len(found) > 4
    assert {where: said for where, said in found if said} == {}


def test_two_at_once_leave_one_whole_result(forks: Forks, good: Good, tmp_path: Path) -> None:
    with Forks(tmp_path / "said") as other:
        for make in (cases.weights_add, cases.weights_convert):
            case = make(good)
            tried = list(Killer(forks, case, tmp_path / case.name).at_once(other, 2))
            assert {each.where: each.lost for each in tried if each.lost} == {}
            assert len(tried) == 2
