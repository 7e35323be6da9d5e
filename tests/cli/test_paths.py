import errno
import os
import socket
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from esrgan_cli.paths import listing, longest_name, look, make_folder
from esrgan_torch.errors import ImageWriteError
from esrgan_torch.storage.paths import real


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_files_and_folders() -> None:
    Path("a.png").write_bytes(b"abc")
    Path("b.png").symlink_to("a.png")
    found = look(Path("a.png"))
    assert (found.kind, found.cause, found.size) == ("file", "", 3)
    assert found.changed == Path("a.png").stat().st_mtime_ns
    assert look(Path("b.png")) == found
    assert look(Path()).kind == "folder"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has none of these")
def test_what_is_neither() -> None:
    Path("loop").symlink_to("loop")
    Path("gone").symlink_to("nowhere")
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind("socket")
    Path("file").touch()
    causes = {
        "loop": ("other", "is a link that leads in a circle"),
        "gone": ("absent", "is a link to nowhere, which does not exist"),
        "pipe": ("other", "is a pipe"),
        "socket": ("other", "is a socket"),
        os.devnull: ("other", "is a device"),
        "missing": ("absent", "does not exist"),
        "file/below": ("absent", "does not exist"),
        "zero\0byte": ("unknown", "cannot be reached"),
        "a" * 256: ("unknown", "too long for its file system"),
    }
    for name, (kind, words) in causes.items():
        found = look(Path(name))
        assert found.kind == kind, name
        assert words in found.cause


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EACCES, "may not be entered (permission denied)"),
        (errno.ESTALE, "Stale file handle"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_what_the_system_does_not_tell_about(code: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "stat", fail)
    found = look(Path("a.png"))
    assert found.kind == "unknown"
    assert words in found.cause
    assert longest_name(Path("deep/er")) == 255


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_found_out_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: open("/dev/full", "wb"))  # noqa: PTH123, SIM115
    with pytest.raises(ImageWriteError, match="No space left on device"):
        make_folder(Path("out"))


def test_files_without_numbers_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        Path(name).touch()
    numbered = Path.stat

    def unnumbered(path: Path, **options: bool) -> os.stat_result:
        facts = list(numbered(path, **options))
        facts[stat.ST_INO] = 0
        return os.stat_result(facts)

    monkeypatch.setattr(Path, "stat", unnumbered)
    assert look(Path("a")).identity != look(Path("b")).identity
    assert look(Path("a")).identity == look(Path("../") / Path.cwd().name / "a").identity


def test_a_folder_that_cannot_be_listed() -> None:
    Path("a").touch()
    assert listing(Path()) == ([Path("a")], "")
    assert listing(Path("b")) == ([], "cannot be listed: No such file or directory")


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be removed there")
def test_a_working_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert real(Path("a.png")) == Path("a.png")
    assert look(Path("a.png")).kind == "absent"
    with pytest.raises(ImageWriteError, match="cannot write into the folder"):
        make_folder(Path("out"))
