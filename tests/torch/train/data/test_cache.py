import os
import time
from pathlib import Path

import pytest

from esrgan_torch.errors import ConfigError
from esrgan_torch.train.data import cache
from esrgan_torch.train.data.cache import kept_pictures, make_room, pictures_folder, touch


def put(folder: Path, name: str, size: int = 1000, age: float = 0.0) -> Path:
    path = folder / name
    path.write_bytes(bytes(size))
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_one_folder_whatever_the_working_folder_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ESRGAN_CACHE", raising=False)
    first = pictures_folder()
    monkeypatch.chdir(tmp_path)
    assert pictures_folder() == first
    assert first.is_absolute()
    assert first.name == "pictures"
    monkeypatch.setenv("ESRGAN_CACHE", str(tmp_path / "own"))
    assert pictures_folder() == tmp_path / "own" / "pictures"
    assert pictures_folder("here") == Path("here")


def test_what_is_kept_is_listed(tmp_path: Path) -> None:
    put(tmp_path, "new.npy", age=10)
    put(tmp_path, "old.npy", 2000, age=3600)
    put(tmp_path, ".now.part.npy")  # being written
    put(tmp_path, "notes.txt")
    assert [(kept.path.name, kept.bytes) for kept in kept_pictures(tmp_path)] == [
        ("old.npy", 2000),
        ("new.npy", 1000),
    ]
    assert 3600 <= kept_pictures(tmp_path)[0].age < 3700
    for kept in kept_pictures(tmp_path):
        kept.path.unlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".now.part.npy", "notes.txt"]
    assert kept_pictures(tmp_path / "none") == []


def test_the_oldest_of_other_runs_go_first_and_lessons_stay(tmp_path: Path) -> None:
    own = put(tmp_path, "own.npy", age=9000)
    put(tmp_path, "older.npy", age=8000)
    put(tmp_path, "newer.npy", age=7000)
    lesson = put(tmp_path, "lesson-1.npy", age=10**6)
    make_room(tmp_path, 500, 3500, [own])
    assert sorted(path.name for path in tmp_path.iterdir()) == [lesson.name, "newer.npy", "own.npy"]
    touch([own])
    assert kept_pictures(tmp_path)[-1].path == own


def test_what_does_not_fit_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = put(tmp_path, "own.npy")
    put(tmp_path, "other.npy")
    with pytest.raises(ConfigError, match=r"take 30 GB, and data.cache_limit is 20 GB; raise it"):
        make_room(tmp_path, 30 * 10**9, 2e10, [own])
    assert len(list(tmp_path.iterdir())) == 2

    class Usage:
        free = 2**30

    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: Usage)
    with pytest.raises(
        ConfigError,
        match=r"take 84 MB more in .*, and its disk has 1.07 GB, of which 1.07 GB must stay free; free",
    ):
        make_room(tmp_path, 84 * 10**6, 2e10, [own])
