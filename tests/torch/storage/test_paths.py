"""What the system and libraries say of files becomes one line with the path."""

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from esrgan_torch.storage.atomic import atomic_path
from esrgan_torch.storage.paths import exists, expanded, line, of_address, real, trouble


def caught(work: object, *given: object) -> BaseException:
    try:
        work(*given)
    except Exception as error:
        return error
    raise AssertionError("it went well")


def told(error: BaseException, path: Path | str | None = None) -> str:
    found = trouble(error, path)
    assert found is not None
    return line(found)


def test_a_path_that_is_none_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert expanded("~nosuch/x") == Path("~nosuch/x")
    assert expanded("~").is_absolute()
    assert real(tmp_path / "loop" / "x").name == "x"
    assert not exists(tmp_path / ("n" * 300))
    assert not exists("a\0b")


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("file:///a%20b/c%25.png", "/a b/c%.png"),
        ("FILE://localhost/a.png", "/a.png"),
        ("file:/%C3%A9.png", "/é.png"),
        ("file:///%ff.png", os.fsdecode(b"/\xff.png")),
        ("file:///a?b#c.png", "/a?b#c.png"),
        ("file://server/a.png", None),
        ("file:////server/a.png", None),
        ("file:a.png", None),
        ("https://a.example/b.png", None),
        ("/a.png", None),
    ],
)
def test_addresses_of_files(address: str, path: str | None) -> None:
    assert of_address(address) == (None if path is None else Path(path))


def test_the_system_s_own_errors(tmp_path: Path) -> None:
    missing = tmp_path / "none" / "file"
    assert told(caught(missing.read_text)) == f"{missing}: there is no such file or folder"
    assert told(caught(tmp_path.read_bytes)) == f"{tmp_path}: it is a folder"
    assert told(OSError(errno.ENOSPC, "No space left on device"), "a.pt") == "a.pt: the disk is full"
    assert told(OSError("odd")) == "odd"
    assert told(OSError(errno.EIO, "Input/output error", b"a\xff")) == "a\udcff: Input/output error"


def test_links_in_a_circle_and_homes_of_nobody(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "loop" in told(caught((tmp_path / "loop").resolve))
    assert "home" in told(caught(Path("~nosuch").expanduser), "~nosuch")


def test_names_and_files_that_are_no_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"odd\xff.txt")
    assert told(caught(name.encode)) == f"{name}: its name holds bytes that are no text; rename it"
    (tmp_path / "recipe.toml").write_bytes(b"\xff")
    said = told(caught((tmp_path / "recipe.toml").read_text, "utf-8"), "recipe.toml")
    assert said.startswith("recipe.toml: it holds bytes that are no text")


def test_a_defect_is_none_of_these() -> None:
    assert trouble(RuntimeError("shapes do not match")) is None
    assert trouble(KeyError("name")) is None
    error = caught(lambda: [open("/none/x")] and 1)  # noqa: SIM115, PTH123
    defect = KeyError("while that was handled")
    defect.__context__ = error
    assert trouble(defect) is None


def test_torch_s_errors_are_the_system_s(tmp_path: Path) -> None:
    state = {"weight": torch.zeros(9)}
    missing = tmp_path / "none" / "a.pt"
    assert told(caught(torch.save, state, missing), missing).startswith(f"{missing}: ")
    assert told(caught(torch.save, state, tmp_path), tmp_path).startswith(f"{tmp_path}: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
@pytest.mark.parametrize("way", ["path", "file", "numpy"])
def test_a_full_disk_whoever_writes(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The temporary file is a link to a device that is always full; two of three lose the number."""
    target = tmp_path / "a.pt"
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=0))

    def write() -> None:
        with atomic_path(target) as temporary:
            temporary.unlink()
            temporary.symlink_to("/dev/full")
            if way == "path":
                torch.save({"weight": torch.zeros(2**16)}, temporary)
            elif way == "file":
                with temporary.open("wb") as file:
                    torch.save({"weight": torch.zeros(2**16)}, file)
            else:
                np.zeros(2**16).tofile(temporary)

    error = caught(write)
    assert isinstance(error, OSError)
    assert error.filename == str(target)
    assert told(error) == f"{target}: the disk is full"
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_name_is_told_as_the_target(tmp_path: Path) -> None:
    target = tmp_path / "none" / "a.png"

    def write() -> None:
        with atomic_path(target):
            pass

    assert told(caught(write)) == f"{target}: there is no such file or folder"
