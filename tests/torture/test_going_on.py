"""A run of many pictures that is killed again and again goes on each time: nothing lost, doubled or half."""

import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from esrgan_cli.upscaling.journal import Journal
from esrgan_torch.images.files import read_image, write_image
from tests.torture import cases
from tests.torture.forks import Forks, Outcome
from tests.torture.good import Good

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here"),
    pytest.mark.xdist_group("torture"),
]
COUNT = 10
KILLS = 6


def results(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Of each result: which file it is, when it was written, and what it holds."""
    found = {path: path.stat() for path in (folder / "out").glob("*.png") if not path.name.startswith(".")}
    return {path.name: (facts.st_ino, facts.st_mtime_ns, path.read_bytes()) for path, facts in found.items()}


def test_a_run_that_is_killed_at_any_moment_goes_on(forks: Forks, good: Good, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(COUNT):
        picture = rng.integers(0, 256, (24, 20 + number, 3), dtype=np.uint8)
        (tmp_path / "in").mkdir(exist_ok=True)
        write_image(tmp_path / "in" / f"{number}.png", picture)
    arguments = ("upscale", "in", "-o", "out", "--model", str(good["model"]), *cases.NUMBERS)

    def run(kill_at: int | None = None, kill_after: float | None = None) -> Outcome:
        return forks.run(
            arguments, tmp_path, watched=[tmp_path / "out"], kill_at=kill_at, kill_after=kill_after
        )

    whole = run()
    assert whole.status == 0, whole.err
    expected = {name: content for name, (_, _, content) in results(tmp_path).items()}
    assert len(expected) == COUNT
    shutil.rmtree(tmp_path / "out")
    chance = random.Random(0)
    before: dict[str, tuple[int, int, bytes]] = {}
    kills = 0
    for number in range(KILLS):
        # before a change of a file, which is certain to come; then at some moment of what is left
        left = (COUNT - len(before)) / COUNT
        if number < KILLS - 2:
            outcome = run(kill_at=chance.randint(1, int(left * whole.events / 2)))
        else:
            outcome = run(kill_after=chance.uniform(0.1, 0.9) * left * whole.seconds)
        assert outcome.status in (0, -9), outcome.err
        kills += outcome.status == -9
        now = results(tmp_path)
        assert {name: now.get(name) for name in before} == before  # neither lost nor made again
        assert all(content == expected[name] for name, (_, _, content) in now.items())  # and whole
        before = now
    assert kills >= KILLS - 2
    last = run()
    assert last.status == 0, last.err
    assert f"{COUNT - len(before)} done, {len(before)} skipped, 0 failed" in last.err
    now = results(tmp_path)
    assert {name: content for name, (_, _, content) in now.items()} == expected
    assert {name: now[name] for name in before} == before
    left = [path.name for path in (tmp_path / "out").iterdir() if path.name not in expected]
    assert left == [".esrgan.jsonl"]
    # the journal knows every picture's result; how it was made, of all but those at which a kill came
    journal = Journal(tmp_path / "out")
    owners = {name: journal.owner(tmp_path / "out" / name) for name in expected}
    assert owners == {f"{number}-x4.png": f"../in/{number}.png" for number in range(COUNT)}
    unknown = [name for name in expected if journal.record(tmp_path / "out" / name) is None]
    assert len(unknown) <= kills
    assert read_image(tmp_path / "out" / "0-x4.png").height == 96
