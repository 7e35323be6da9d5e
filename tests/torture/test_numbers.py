"""No option takes a number of thousands of digits for more than a wrong one; `make torture` tries more."""

import os
from pathlib import Path

import pytest

from tests.torture import numbers
from tests.torture.forks import Forks
from tests.torture.good import Good

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here"),
    pytest.mark.xdist_group("torture"),  # one process makes the good files
]
SLOW = ("convert", "parity", "train", "bench", "doctor")  # which import half of everything


def test_every_command_is_known() -> None:
    assert {name for name, _ in numbers.commands()} == {*numbers.BASES, "demo"}


def test_an_option_with_thousands_of_digits(forks: Forks, good: Good, tmp_path: Path) -> None:
    names = [name for name in numbers.BASES if name not in SLOW]
    found = list(numbers.tries(forks, good, tmp_path, names=names, heavy=False))
    assert len(found) > 40
    assert {option: said for _, option, said in found if said} == {}
