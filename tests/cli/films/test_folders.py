"""Films of folders, lists and parts of a folder."""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import MakePicture
from tests.torch.films.clips import frames_of, make_clip

Upscale = Callable[..., int]


def test_lists_parts_and_reports_have_films_too(
    upscale: Upscale, make_picture: MakePicture, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip(Path("a.mkv"), frames=2)
    make_picture(Path("c.png"))
    Path("broken.mkv").write_bytes(Path("a.mkv").read_bytes()[:300])
    Path("list.txt").write_text("a.mkv\nc.png\nbroken.mkv\n")
    made: list[str] = []
    for part in ("1/2", "2/2"):
        upscale("--from-list", "list.txt", "-o", "out", "--shard", part, "--report", f"{part[0]}.jsonl")
        made += capsys.readouterr().out.splitlines()
    assert sorted(made) == [str(Path("out/a-x4.mkv")), str(Path("out/c-x4.png"))]
    lines = [
        json.loads(line) for name in ("1", "2") for line in Path(f"{name}.jsonl").read_text().splitlines()
    ]
    found = {line["input"]: (line["status"], line["frames"], line["output_size"]) for line in lines}
    assert found == {
        "a.mkv": ("done", 2, [96, 64]),
        "broken.mkv": ("failed", None, None),
        "c.png": ("done", 1, [48, 40]),
    }
    assert len(lines) == 3


def test_films_in_folders(
    upscale: Upscale, make_picture: MakePicture, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.mkv", "b.mp4", "sub/a.mkv", "sub/A.mkv", "in.m2ts"):
        Path("in", name).parent.mkdir(parents=True, exist_ok=True)
        codec = "ffv1" if name.endswith("mkv") else "libx264"
        make_clip(Path("in", name), frames=2, codec=codec)
    Path("in/in.m2ts").rename("in/stream.ts")
    Path("in/code.ts").write_text("const answer = 42;" * 100)
    Path("in/bad.mov").write_bytes(b"")
    make_picture(Path("in/a.png"))
    assert upscale("in", "--report", "all.jsonl", "--stats") == 1
    told = capsys.readouterr()
    films = ["a-x4.mkv", "b-x4.mp4", "stream-x4.mkv", "sub/A-x4.mkv", "sub/a-2-x4.mkv"]
    assert sorted(told.out.split()) == sorted(str(Path("in-x4", name)) for name in ("a-x4.png", *films))
    assert "in/code.ts is no picture: left out" in told.err.replace(os.sep, "/")
    assert "in/bad.mov" in told.err.replace(os.sep, "/")
    assert "1 done, 0 skipped, 0 failed" in told.err
    assert "5 done, 0 skipped, 1 failed" in told.err
    assert re.search(r"network busy [\d.]+% of [\d.]+ s, .*; [\d.]+ frames a second", told.err)
    lines = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
    assert sorted((line["status"], line["frames"] or 0) for line in lines) == [
        ("done", 1),
        *[("done", 2)] * 5,
        ("failed", 0),
    ]
    assert frames_of(Path("in-x4/sub/A-x4.mkv"))[0].width == 96

    assert upscale("in") == 1  # what is done stays, and keeps its name
    told = capsys.readouterr()
    assert told.out == ""
    assert "0 done, 5 skipped, 1 failed" in told.err
    Path("in/bad.mov").unlink()
    parts: list[str] = []
    for part in ("1/3", "2/3", "3/3"):
        assert upscale("in", "in/a.mkv", "-o", "parts", "--shard", part) == 0
        parts += capsys.readouterr().out.split()
    assert sorted(parts) == sorted(str(Path("parts", name)) for name in ("a-x4.png", *films))


def test_a_folder_of_films_alone(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    Path("in").mkdir()
    make_clip(Path("in/a.mkv"), frames=2)
    Path("in/notes.txt").write_text("notes")
    assert upscale("in", "-o", "out", "--format", "mp4") == 0
    told = capsys.readouterr()
    assert told.out == f"{Path('out/a-x4.mp4')}\n"
    assert "notes.txt is no picture: left out" in told.err
    for given, message in (
        (("in", "-o", "b.mp4"), "give a folder with -o"),
        (("in", "--page", "p.html"), "--page shows pictures"),
        (("in", "--format", "png"), "--format of films must be"),
    ):
        assert upscale(*given) == 2
        assert message in capsys.readouterr().err


def test_without_pyav_films_of_a_folder_are_one_line(
    upscale: Upscale,
    make_picture: MakePicture,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("in").mkdir()
    for name in ("a.mkv", "b.mkv", "c.mkv"):
        make_clip(Path("in", name), frames=1)
    make_picture(Path("in/a.png"))
    monkeypatch.setitem(sys.modules, "av", None)
    assert upscale("in", "-o", "out", "--report", "r.jsonl") == 0
    told = capsys.readouterr()
    assert told.out == f"{Path('out/a-x4.png')}\n"
    [line] = [line for line in told.err.splitlines() if "film" in line]
    assert line.startswith("esrgan: warning: 3 films are left out: films need esrgan-torch[video]")
    lines = [json.loads(line) for line in Path("r.jsonl").read_text().splitlines()]
    assert [line["status"] for line in lines] == ["done", *["left out"] * 3]
    Path("in/a.png").unlink()
    assert upscale("in", "-o", "out") == 1  # nothing that could be done
