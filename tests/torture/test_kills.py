"""Commands that are killed lose nothing and leave nothing; a sample of what `make torture` tries."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from esrgan_bridge.files.replacing import put_in_place
from esrgan_torch.storage.leftovers import END, mark
from tests.torture import cases, network
from tests.torture.forks import Forks
from tests.torture.good import Good
from tests.torture.kills import Case, Killer, files_of, visible
from tests.torture.zygote import Events

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here"),
    pytest.mark.xdist_group("torture"),  # one process makes the good files
]
SHARE = 3  # of the changes that a command makes, every third is tried


def try_kills(case: Case, forks: Forks, place: Path) -> None:
    killer = Killer(forks, case, place)
    numbers = range(1 + len(case.name) % SHARE, killer.changes + 1, SHARE)
    assert len(numbers) > 1
    assert {kill.where: kill.lost for kill in killer.at_changes(numbers) if kill.lost} == {}


@pytest.mark.parametrize(
    "case", [cases.upscale, cases.upscale_over, cases.weights_convert, cases.weights_add, cases.cache_clear]
)
def test_a_killed_command_loses_nothing(case, forks: Forks, good: Good, tmp_path: Path) -> None:
    try_kills(case(good), forks, tmp_path / "tries")


@pytest.mark.parametrize("case", [cases.film, cases.fetch_wheel])
def test_one_kill_of_what_takes_seconds_loses_nothing(case, forks: Forks, good: Good, tmp_path: Path) -> None:
    """In the middle: of a film when parts are done, of a package when it is unpacked."""
    killer = Killer(forks, case(good), tmp_path / "tries")
    [kill] = killer.at_changes([killer.changes * 2 // 3])
    assert kill.lost == []


def test_a_killed_download_loses_nothing(forks: Forks, good: Good, tmp_path: Path) -> None:
    with network.serving(good["pickle"]) as address:
        try_kills(cases.fetch_url(address), forks, tmp_path / "tries")


@pytest.mark.skipif(sys.platform != "linux", reason="names swap otherwise there")
def test_a_conversion_that_takes_another_s_place_is_whole_at_every_moment(tmp_path: Path) -> None:
    """All changes of the last step; the building before it is beside, and tried by `make torture`."""
    own = {"notes.txt": "mine", "onnx/more/notes.txt": "mine"}
    old = {"onnx/model.onnx": "old", "tf/saved_model.pb": "old", "parity.json": "old"}
    new = {"onnx/model.onnx": "new", "onnx/trunk.onnx": "new", "parity.json": "new"}
    seen: list[tuple[int, dict[str, str]]] = []
    for number in range(1, 100):
        folder, building = tmp_path / f"{number}" / "net", tmp_path / f"{number}" / f".{mark()}{END}"
        for place, files in ((folder, own | old), (building, new)):
            for name, text in files.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_text(text)
        process = os.fork()
        if not process:
            Events([str(folder.parent)], number)
            put_in_place(building, folder, list(old))
            shutil.rmtree(building)
            os._exit(0)
        killed = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        seen.append((killed, {name: (folder / name).read_text() for name in visible(files_of(folder))}))
        if killed == 0:
            break
    assert all(killed == -signal.SIGKILL for killed, _ in seen[:-1])
    assert all(files in (own | old, own | new) for _, files in seen)
    assert {len(files) for _, files in seen} == {5}
    assert [own | old, own | new] == [seen[0][1], seen[-1][1]]
    assert len(seen) > 6
