import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esrgan_cli.upscaling.report import Report

MakePicture = Callable[..., Path]
Upscale = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def lines(path: str = "report.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_a_line_for_each_picture_says_what_became_of_it(upscale: Upscale, make_picture: MakePicture) -> None:
    make_picture(Path("in/a.png"), 10, 12)
    make_picture(Path("in/b.png"), 9, 7)
    Path("in/bad.png").write_bytes(b"no picture")
    Path("in/notes.txt").touch()
    assert upscale("in/b.png", "-o", "out") == 0
    assert upscale("in", "missing.png", "-o", "out", "--report", "new/report.jsonl") == 1
    found = {line["input"]: line for line in lines("new/report.jsonl")}
    assert sorted(found) == ["in/a.png", "in/b.png", "in/bad.png", "missing.png"]
    assert all(list(line) == list(found["in/a.png"]) for line in found.values())
    done = found["in/a.png"]
    assert done.pop("seconds") >= 0
    assert done == {
        "input": "in/a.png",
        "output": str(Path("out/a-x4.png")),
        "status": "done",
        "input_size": [12, 10],
        "output_size": [48, 40],
        "frames": 1,
        "reason": None,
    }
    assert [found[name]["status"] for name in ("in/b.png", "in/bad.png", "missing.png")] == [
        "skipped",
        "failed",
        "failed",
    ]
    assert "exists; --overwrite" in found["in/b.png"]["reason"]
    assert "is not a picture" in found["in/bad.png"]["reason"]
    assert found["missing.png"]["reason"] == "missing.png does not exist"
    assert found["missing.png"]["output"] is None
    # another run's report has the place of the first
    assert upscale("in/a.png", "-o", "out", "--report", "new/report.jsonl") == 0
    assert [line["status"] for line in lines("new/report.jsonl")] == ["skipped"]


def test_what_is_said_of_a_result_is_in_its_line(upscale: Upscale, make_picture: MakePicture) -> None:
    make_picture(Path("large.png"), 40, 40)
    assert upscale("large.png", "--tile", "16", "--overlap", "0", "--report", "report.jsonl") == 0
    assert "NOT EXACT" in lines()[0]["reason"]


@pytest.mark.skipif(os.name == "nt", reason="elsewhere names are text")
def test_a_name_that_is_no_text_comes_back_as_it_was(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\n.png")
    report = Report(tmp_path / "report.jsonl")
    report.add(Path(name), "done")
    report.close()
    [line] = lines(str(tmp_path / "report.jsonl"))
    assert line["input"] == name


def test_a_report_that_cannot_be_is_refused_before_the_work(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    picture = make_picture(Path("a.png"))
    before = picture.read_bytes()
    assert upscale("a.png", "--report", "a.png") == 2
    assert "ends in .jsonl" in capsys.readouterr().err
    assert picture.read_bytes() == before
    Path("folder.jsonl").mkdir()
    assert upscale("a.png", "--report", "folder.jsonl") == 2
    assert "folder.jsonl cannot be written: Is a directory" in capsys.readouterr().err
    assert not Path("a-x4.png").exists()


def test_a_disk_that_is_full_costs_the_report_and_no_picture(
    upscale: Upscale, make_picture: MakePicture, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    write = os.write

    def full(number: int, data: bytes) -> int:
        if b'"input_size"' in data:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(number, data)

    make_picture(Path("a.png"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        assert upscale("a.png", "--report", "report.jsonl") == 1
    assert Path("a-x4.png").exists()
    assert "report.jsonl is not whole: No space left on device" in capsys.readouterr().err
