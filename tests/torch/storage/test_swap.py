"""Names that swap in one step."""

import ctypes
import sys
from pathlib import Path

import pytest

from esrgan_torch.storage.swap import swap


@pytest.mark.skipif(sys.platform != "linux", reason="asked of Linux here")
def test_folders_swap(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second é"
    for folder in (first, second):
        folder.mkdir()
        (folder / "name").write_text(folder.name)
    assert swap(first, second)
    assert (first / "name").read_text() == "second é"
    assert (second / "name").read_text() == "first"


def test_what_is_not_there_does_not(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    assert not swap(tmp_path / "first", tmp_path / "none")
    assert (tmp_path / "first").is_dir()


@pytest.mark.parametrize("error", [OSError, TypeError, AttributeError])
def test_a_system_that_cannot(
    error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", load)
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    assert not swap(tmp_path / "first", tmp_path / "second")
