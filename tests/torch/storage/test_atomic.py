"""Files that are either whole or not there."""

import errno
import os
import socket
from pathlib import Path

import pytest

from esrgan_torch.storage.atomic import atomic_folder, atomic_path


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_the_target_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "picture.png"
    with atomic_path(target) as temporary:
        temporary.write_bytes(b"whole")
        assert not target.exists()
        assert temporary.suffix == ".png"
    assert target.read_bytes() == b"whole"
    assert names(tmp_path) == ["picture.png"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "picture.png"
    target.write_bytes(b"before")

    def write_half() -> None:
        with atomic_path(target) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert target.read_bytes() == b"before"
    assert names(tmp_path) == ["picture.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("by_link", [False, True])
def test_what_is_no_file_stays(by_link, tmp_path: Path) -> None:
    """With root's rights a file would take the place of /dev/null, for everybody."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    target = tmp_path / "link" if by_link else pipe
    if by_link:
        target.symlink_to(pipe)
    with pytest.raises(OSError, match="a pipe, a socket or a device") as caught, atomic_path(target):
        pass
    assert (caught.value.errno, caught.value.filename) == (errno.EINVAL, str(target))
    assert pipe.is_fifo()
    assert sorted(names(tmp_path)) == (["link", "pipe"] if by_link else ["pipe"])


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no sockets in folders here")
def test_a_socket_stays(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)  # its path must be short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket")
        with pytest.raises(OSError, match="a pipe, a socket or a device"), atomic_path(Path("socket")):
            pass
    assert Path("socket").is_socket()


def test_the_mode_is_the_usual_one(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    with atomic_path(tmp_path / "made"):
        pass
    assert (tmp_path / "made").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_temporary_names_say_no_scale(tmp_path: Path) -> None:
    """A reader of weights takes "x3" in a file's name for its scale; random letters can say that."""
    for _ in range(200):
        with atomic_path(tmp_path / "file.pth") as temporary:
            assert "x" not in temporary.name


def test_a_folder_is_whole_or_not_there(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "made") as temporary:
        (temporary / "file").write_text("new")
        assert not (tmp_path / "made").exists()
    assert (tmp_path / "made" / "file").read_text() == "new"
    assert (tmp_path / "made").stat().st_mode & 0o755 == 0o755
    with pytest.raises(KeyboardInterrupt):
        stopped(tmp_path / "other")
    with pytest.raises(OSError, match="not empty"), atomic_folder(tmp_path / "made") as temporary:
        (temporary / "file").write_text("second")
    assert (tmp_path / "made" / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def stopped(folder: Path) -> None:
    with atomic_folder(folder) as temporary:
        (temporary / "file").write_text("half")
        raise KeyboardInterrupt
