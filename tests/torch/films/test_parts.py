"""The folder of parts: what is believed of it, and when."""

import os
import time
from pathlib import Path

import pytest

from esrgan_torch.errors import FilmWriteError
from esrgan_torch.films.parts import JOURNAL, Part, Parts, folder_of
from esrgan_torch.storage.leftovers import leftovers

MAKING = {"network": "a", "part": 2}


def fill(target: Path, count: int = 3) -> None:
    with Parts(target, MAKING) as parts:
        for number in range(count):
            parts.path(number).write_bytes(b"x" * (10 + number))
            parts.add((2 * number, 2 * number + 1), 1)


def test_parts_are_found_again(tmp_path: Path) -> None:
    fill(tmp_path / "a.mp4")
    with Parts(tmp_path / "a.mp4", MAKING) as parts:
        assert parts.whole == [Part(10, (0, 1), 1), Part(11, (2, 3), 1), Part(12, (4, 5), 1)]
        assert parts.frames == 6


def test_of_another_making_nothing_is_kept(tmp_path: Path) -> None:
    fill(tmp_path / "a.mp4")
    with Parts(tmp_path / "a.mp4", {**MAKING, "network": "b"}) as parts:
        assert (parts.frames, parts.discarded) == (0, 6)
        assert not list(parts.folder.glob("*.nut"))


@pytest.mark.parametrize("how", ["missing", "short", "line", "noise"])
def test_what_is_damaged_ends_what_is_kept(how: str, tmp_path: Path) -> None:
    fill(tmp_path / "a.mp4")
    folder = folder_of(tmp_path / "a.mp4")
    journal = folder / JOURNAL
    if how == "missing":
        (folder / "000001.nut").unlink()
    elif how == "short":
        (folder / "000001.nut").write_bytes(b"x")
    elif how == "line":
        journal.write_text(journal.read_text().replace('"part": 1', '"part": 1, "size": "?", "x": '))
    else:
        journal.write_bytes(
            journal.read_bytes()
            + b'{"part": 3, "si\xff\n[]\n{"part": {}}\n{"part": 3, "order": [Infinity]}\n'
        )
    with Parts(tmp_path / "a.mp4", MAKING) as parts:
        assert len(parts.whole) == (3 if how == "noise" else 1)


def test_nothing_done_leaves_nothing(tmp_path: Path) -> None:
    with Parts(tmp_path / "a.mp4", MAKING):
        pass
    assert list(tmp_path.iterdir()) == []


def test_one_process_at_a_time(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    with (
        Parts(target, MAKING),
        pytest.raises(FilmWriteError, match="another process is making"),
        Parts(target, MAKING),
    ):
        pass
    with Parts(target, MAKING):
        pass


def test_an_owner_of_another_machine_is_gone_when_it_is_silent(tmp_path: Path) -> None:
    fill(tmp_path / "a.mp4")
    other = folder_of(tmp_path / "a.mp4") / f"owner-{'0' * 32}.part"
    other.touch()
    with pytest.raises(FilmWriteError, match="another process"), Parts(tmp_path / "a.mp4", MAKING):
        pass
    long_ago = time.time() - 1000
    os.utime(other, (long_ago, long_ago))
    with Parts(tmp_path / "a.mp4", MAKING) as parts:
        assert parts.frames == 6
    assert not other.exists()


@pytest.mark.parametrize("name", ["a.mp4", f"{'0' * 32}.mp4", f"{'é' * 125}.mp4", "0123456789abcdef.mkv"])
def test_the_folder_is_no_leftover_whatever_the_name(name: str, tmp_path: Path) -> None:
    fill(tmp_path / name)
    folder = folder_of(tmp_path / name)
    assert len(os.fsencode(folder.name)) <= 255
    os.utime(folder, (0, 0))
    assert list(leftovers(tmp_path)) == []


def test_the_delay_of_an_order() -> None:
    assert Part(1, (0, 1, 2), 1).delay == 0
    assert Part(1, (0, 4, 2, 1, 3), 1).delay == 2
