import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from esrgan_cli.upscaling.lists import read_list
from esrgan_torch.errors import ConfigError

MakePicture = Callable[..., Path]
Upscale = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def names(data: bytes, folder: Path) -> list[str]:
    (folder / "list").write_bytes(data)
    return [str(path) for path in read_list(folder / "list")]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a.png\nb c.png\n", ["a.png", "b c.png"]),
        (b"a.png\r\n\r\nb.png", ["a.png", "b.png"]),
        (b"a\nb.png\0c.png\0", ["a\nb.png", "c.png"]),
        (b"\xef\xbb\xbf\xe7\x8c\xab.png\n", ["猫.png"]),
        ("a.png\r\n猫.png\r\n".encode("utf-16"), ["a.png", "猫.png"]),
        (b"", []),
        (b"\n\n", []),
    ],
    ids=["lines", "lines of Windows", "zero bytes", "UTF-8 with its mark", "PowerShell", "nothing", "empty"],
)
def test_names_in_a_list(data: bytes, expected: list[str], tmp_path: Path) -> None:
    assert names(data, tmp_path) == expected


def test_a_dash_in_a_list_is_a_file(tmp_path: Path) -> None:
    assert names(b"-\n", tmp_path) == [str(Path.cwd() / "-")]


@pytest.mark.skipif(os.name == "nt", reason="elsewhere names are text")
def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    assert names(b"\xff.png\n", tmp_path) == [os.fsdecode(b"\xff.png")]


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.txt cannot be read: No such file"):
        read_list(tmp_path / "gone.txt")


def test_pictures_and_folders_of_a_list_beside_others(
    upscale: Upscale, make_picture: MakePicture, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    for name in ("a.png", "b.png", "in/c.png", "d.png"):
        make_picture(Path(name), 4, 5)
    sent = b"b.png\0in\0missing.png\0a.png\0"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(sent)))
    assert upscale("a.png", "--from-list", "-", "-o", "out") == 1
    assert sorted(path.name for path in Path("out").glob("*.png")) == ["a-x4.png", "b-x4.png", "c-x4.png"]
    said = capsys.readouterr().err
    assert "failed: missing.png does not exist" in said
    assert "3 done, 0 skipped, 1 failed" in said


def test_a_list_of_one_may_have_a_file_for_its_result(upscale: Upscale, make_picture: MakePicture) -> None:
    make_picture(Path("a.png"))
    Path("list.txt").write_text("a.png\n")
    assert upscale("--from-list", "list.txt", "-o", "large.jpg") == 0
    assert Path("large.jpg").exists()


def test_an_empty_list_is_no_fault(upscale: Upscale, capsys: Capture) -> None:
    Path("list.txt").touch()
    assert upscale("--from-list", "list.txt", "-o", "out") == 0
    said = capsys.readouterr().err
    assert "warning: list.txt contains no names" in said
    assert "0 done, 0 skipped, 0 failed" in said


def test_what_cannot_be_given(upscale: Upscale, capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        upscale("-o", "out")
    assert "no input is given: give INPUT or --from-list" in capsys.readouterr().err
    assert upscale("-", "--from-list", "-") == 2
    assert "both stdin" in capsys.readouterr().err
