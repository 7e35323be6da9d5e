"""Closed streams, full disks behind them, no home, limits of the system: at most a line; a sample."""

import os
from pathlib import Path

import pytest

from tests.torture.forks import Forks
from tests.torture.good import Good
from tests.torture.surroundings import FAULTS, tries

pytestmark = [
    pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here"),
    pytest.mark.xdist_group("torture"),  # one process makes the good files
]


@pytest.mark.parametrize("name", ["upscale", "weights list"])
def test_odd_surroundings(name: str, forks: Forks, good: Good, tmp_path: Path) -> None:
    found = list(tries(forks, good, tmp_path, names=(name,)))
    assert len(found) == len(FAULTS)
    assert {fault: said for _, fault, said in found if said} == {}
