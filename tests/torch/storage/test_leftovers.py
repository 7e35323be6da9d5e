"""What killed processes leave is known by its name, and nothing else is."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from esrgan_torch.storage import leftovers
from esrgan_torch.storage.atomic import atomic_folder, atomic_path
from esrgan_torch.storage.leftovers import AGE, END, is_left, mark, temporary_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from esrgan_torch.storage.atomic import atomic_folder, atomic_path
from esrgan_torch.storage.leftovers import temporary_folder
folder = Path(sys.argv[1])
with atomic_path(folder / "a.png") as file, atomic_folder(folder / "made") as made, temporary_folder("demo"):
    file.write_text("half")
    (made / "inside").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def age(path: Path, seconds: float) -> Path:
    os.utime(path, (time.time() - seconds,) * 2)
    return path


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed otherwise there")
def test_what_a_killed_process_left_is_gone_after_the_next(tmp_path: Path, temporary: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", KILLED, str(folder)], env=environment, check=False)
    assert len(list(folder.iterdir())) == 2
    assert len(list(temporary.iterdir())) == 1
    assert all(is_left(path) for path in (*folder.iterdir(), *temporary.iterdir()))
    with atomic_path(folder / "another.png") as path:
        path.write_text("whole")
    assert [path.name for path in folder.iterdir()] == ["another.png"]
    with temporary_folder("demo") as here:
        assert list(temporary.iterdir()) == [here]
    assert list(temporary.iterdir()) == []


def test_what_is_being_written_stays(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.png") as first, atomic_folder(tmp_path / "b") as second:
        age(first, 9 * AGE)  # a picture that takes a week
        assert not is_left(first)
        assert not is_left(second)


@pytest.mark.parametrize(
    "name",
    [
        "picture.png",
        ".hidden",
        "0123456789abcdef.png",
        ".part",
        ".0123456789abcde.part",
        ".0123456789abcdef.part.old",  # the only copy of a conversion's files, by an earlier release
        ".0123456789abcdef.part-old",
        f".{'0' * 32}.part-old",
        f".{'0' * 31}g.part",
    ],
)
def test_other_names_are_nobody_s(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert not is_left(age(tmp_path / name, 9 * AGE))


@pytest.mark.parametrize("digits", ["0123456789abcdef", "f" * 32])
@pytest.mark.parametrize("suffix", ["", ".png"])
def test_of_another_machine_the_age_tells(digits: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f".{digits}{END}{suffix}"
    path.touch()
    assert not is_left(path)
    assert is_left(age(path, AGE + 60))


def test_a_number_that_another_process_has_now(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = mark()
    started = int(name[16:24], 16)
    path = tmp_path / f".{name[:16]}{started - 1000:08x}{name[24:]}{END}"
    path.touch()
    assert is_left(path)  # the process has started since, so it did not make this


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners here")
def test_another_user_s_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / f".{'f' * 32}{END}"
    path.touch()
    age(path, AGE + 60)
    assert is_left(path)
    monkeypatch.setattr(os, "getuid", lambda: path.stat().st_uid + 1)
    assert not is_left(path)


def test_a_download_s_part_is_left_to_the_download(tmp_path: Path) -> None:
    part = age_new(tmp_path / f".weights.pth.{'f' * 32}{END}")
    bare = age_new(tmp_path / f".{'f' * 32}{END}")
    leftovers.sweep(tmp_path)
    assert part.exists()
    assert not bare.exists()
    assert list(leftovers.leftovers(tmp_path, ".weights.pth.")) == [part]


def age_new(path: Path) -> Path:
    path.touch()
    return age(path, AGE + 60)


def test_a_folder_that_cannot_be_listed_has_none(tmp_path: Path) -> None:
    assert list(leftovers.leftovers(tmp_path / "none")) == []
