import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from esrgan_cli.upscaling.journal import NAME, Journal, Record


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("out").mkdir()
    for name in ("a.png", "a.jpg", "b.png"):
        (Path("in") / name).touch()


RECORD = Record("../in/a.png", 3, 4, "tiny", "ab12", {"scale": 4, "alpha": "drop"})


def test_names_are_kept_and_results_remembered() -> None:
    journal = Journal(Path("out"))
    key = journal.key(Path("in/a.png"))
    assert key == "../in/a.png"
    target = Path("out/deep/A-x4.png")
    assert journal.owner(target) is None
    assert journal.claim(target, key)
    assert journal.claim(target, key)
    assert not journal.claim(Path("out/deep/a-X4.png"), "../in/a.jpg")  # one name where case is not told
    journal.made(target, RECORD)
    assert journal.failure == ""
    again = Journal(Path("in/../out"))
    assert again.owner(target) == key
    assert again.names(key)[-1] == Path.cwd() / target
    assert again.record(target) == RECORD
    assert all(json.loads(line)["result"] for line in Path("out", NAME).read_text("ascii").splitlines())


def test_both_folders_may_be_moved_together() -> None:
    Journal(Path("out")).claim(Path("out/a-x4.png"), "../in/a.png")
    Path("moved").mkdir()
    for name in ("in", "out"):
        Path(name).rename(Path("moved") / name)
    moved = Journal(Path("moved/out"))
    assert moved.owner(Path("moved/out/a-x4.png")) == moved.key(Path("moved/in/a.png"))


def test_the_name_of_a_picture_that_is_gone_is_free() -> None:
    journal = Journal(Path("out"))
    assert journal.claim(Path("out/a-x4.png"), "../in/a.png")
    Path("in/a.png").unlink()
    assert journal.owner(Path("out/a-x4.png")) is None
    other = Journal(Path("out"))
    assert journal.claim(Path("out/a-x4.png"), "../in/a.jpg")
    assert not other.claim(Path("out/a-x4.png"), "../in/b.png")  # which saw it free as well, and came later
    assert Journal(Path("out")).names("../in/a.png") == []


@pytest.mark.parametrize(
    "damage", [b'{"result": "b-x', b"\xff\xfe\0", b"[]\n", b'{"result": 3, "source": "x"}\n', b"[" * 100_000]
)
def test_a_damaged_line_costs_nothing(damage: bytes) -> None:
    journal = Journal(Path("out"))
    journal.made(Path("out/a-x4.png"), RECORD)
    with Path("out", NAME).open("ab") as file:
        file.write(damage)
    later = Journal(Path("out"))
    assert later.claim(Path("out/b-x4.png"), "../in/b.png")
    last = Journal(Path("out"))
    assert last.record(Path("out/a-x4.png")) == RECORD
    assert last.owner(Path("out/b-x4.png")) == "../in/b.png"


def test_a_journal_that_cannot_be_is_no_obstacle() -> None:
    Path("out", NAME).mkdir()
    journal = Journal(Path("out"))
    assert journal.claim(Path("out/a-x4.png"), "../in/a.png")
    assert "is a folder" in journal.failure
    assert journal.owner(Path("out/a-x4.png")) is None
    journal = Journal(Path("missing"))
    journal.made(Path("missing/a-x4.png"), RECORD)
    assert journal.failure


WRITER = """
import sys
from pathlib import Path
from esrgan_cli.upscaling.journal import Journal
journal = Journal(Path("out"))
input()
won = [number for number in range(50) if journal.claim(Path(f"out/{number}.png"), "../in/" + sys.argv[1])]
print(won)
"""


def test_two_processes_never_get_one_name() -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, name],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("a.png", "a.jpg")
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    won: list[Sequence[int]] = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    assert sorted([*won[0], *won[1]]) == list(range(50))
