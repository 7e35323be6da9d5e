"""No path, however odd, and no disk, however full, is a traceback; a sample of what `make torture` tries."""

import os
from pathlib import Path

import pytest

from tests.torture.forks import Forks
from tests.torture.good import Good
from tests.torture.places import can_mount
from tests.torture.sweep import SLOTS, sweep

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here"),
    pytest.mark.xdist_group("torture"),  # one process makes the good files
]
QUICK = [slot for slot in SLOTS if slot.arguments[0] in ("weights", "cache", "evaluate", "bench")]


@pytest.mark.parametrize("slot", QUICK[::3], ids=lambda slot: slot.name)
def test_every_fault_of_a_path_is_one_line(
    slot, forks: Forks, good: Good, scratch: Path, tmp_path: Path
) -> None:
    place = scratch / f"sweep-{QUICK.index(slot)}"
    place.mkdir()
    tries = sweep(forks, good, place, [slot], disks=can_mount(place / "mount"))
    assert {each.fault: each.problem for each in tries if each.problem} == {}
