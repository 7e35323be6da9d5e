"""`esrgan upscale` on films."""

import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from esrgan_cli.films import run
from esrgan_torch.films.encode import Encoder
from esrgan_torch.films.library import pyav
from esrgan_torch.films.parts import Parts
from esrgan_torch.films.read import FilmReader
from tests.cli.conftest import MakePicture
from tests.torch.films.clips import frames_of, make_clip, shown

Upscale = Callable[..., int]


def pixels_of(path: Path) -> list[Any]:
    with FilmReader(path) as reader:
        return [still.pixels for still in reader.stills()]


def test_a_film_to_a_file(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    make_clip(Path("clip.mp4"), codec="libx264", sound="aac")
    assert upscale("clip.mp4", "-o", "larger.mp4") == 0
    output = capsys.readouterr()
    assert output.out == "larger.mp4\n"
    assert "[1/1] clip.mp4: 24 x 16 to 96 x 64 pixels, 6 frames in " in output.err
    assert "libx264, yuv420p" in output.err
    assert frames_of(Path("larger.mp4"))[0].width == 96
    assert upscale("clip.mp4", "-o", "larger.mp4") == 0
    assert "skipped: larger.mp4 exists" in capsys.readouterr().err
    assert upscale("clip.mp4", "-o", "larger.mp4", "--crf", "30", "--update") == 0
    assert "1 done" in capsys.readouterr().err
    assert sorted(path.name for path in Path().iterdir()) == [".esrgan.jsonl", "clip.mp4", "larger.mp4"]


def test_without_a_name_and_beside_pictures(
    upscale: Upscale, make_picture: MakePicture, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip(Path("a.mkv"), frames=2)
    make_clip(Path("b.avi"), codec="mpeg4", frames=2)
    make_picture(Path("c.png"))
    assert upscale("a.mkv", "b.avi", "c.png", "--codec", "ffv1", "--width", "30") == 0
    assert capsys.readouterr().out == "c-w30.png\na-w30.mkv\nb-w30.mkv\n"
    assert frames_of(Path("a-w30.mkv"))[0].width == 30


def test_what_options_cannot_be(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    make_clip(Path("a.mkv"), frames=2)
    for given, message in (
        (("a.mkv", "--codec", "h265"), "--codec is h264, hevc, av1, vp9, ffv1, not 'h265'"),
        (("a.mkv", "--codec", "ffv1", "--crf", "3"), "ffv1 loses nothing, and has no --crf"),
        (("a.mkv", "--crf", "99"), "--crf of h264 lies in 0 to 51, not 99"),
        (("a.mkv", "--preset", "quick"), "--preset of h264 is ultrafast, superfast"),
        (("a.mkv", "-o", "b.webm", "--codec", "h264"), "h264 is not written into .webm"),
        (("a.mkv", "--format", "webp"), "--format of films is mp4, m4v, mov, mkv, webm, y4m, not webp"),
        (("a.mkv", "-o", "b.mp4", "--format", "mkv"), "contradict each other"),
        (("a.mkv", "a.mkv", "-o", "b.mp4"), "the inputs are several"),
        (("a.mkv", "-o", "-", "--format", "mp4"), "goes to stdout as --format y4m alone"),
        (("a.mkv", "-o", "b.y4m", "--crf", "3"), "y4m holds raw frames"),
        (("b.png", "--crf", "3"), "--crf goes with films, and no input is one"),
        (("a.mkv", "--page", "p.html"), "--page shows pictures"),
    ):
        assert upscale(*given) == 2, given
        assert message in capsys.readouterr().err
    assert sorted(path.name for path in Path().iterdir()) == ["a.mkv"]


def test_a_bad_film_does_not_stop_the_others(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    good = make_clip(Path("good.mp4"), codec="libx264", frames=4)
    Path("cut.mp4").write_bytes(good.read_bytes()[:1000])
    Path("empty.mkv").write_bytes(b"\x1a\x45\xdf\xa3")
    assert upscale("cut.mp4", "empty.mkv", "good.mp4", "-o", "out") == 1
    output = capsys.readouterr()
    assert "[1/3] failed: cut.mp4: " in output.err
    assert "[2/3] failed: empty.mkv: " in output.err
    assert "1 done, 0 skipped, 2 failed" in output.err
    assert sorted(path.name for path in Path("out").iterdir()) == [".esrgan.jsonl", "good-x4.mp4"]
    assert "Traceback" not in output.err


def test_without_pyav_it_says_what_to_install(
    upscale: Upscale, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip(Path("a.mkv"), frames=2)
    monkeypatch.setitem(sys.modules, "av", None)
    assert upscale("a.mkv") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "films need esrgan-torch[video]" in line
    assert "pip install 'esrgan-torch[video]'" in line


def test_raw_frames_through_stdin_and_stdout(tiny_model: Path, tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.y4m", codec="wrapped_avframe", frames=5)
    command = [sys.executable, "-m", "esrgan_cli", "upscale", "-", "--format", "y4m", "--device", "cpu"]
    result = subprocess.run(
        [*command, "--dtype", "float32", "--model", str(tiny_model)],
        input=source.read_bytes(),
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert result.stdout.startswith(b"YUV4MPEG2 W96 H64 F25:1 ")
    assert b"5 frames" in result.stderr
    with pyav().open(io.BytesIO(result.stdout)) as film:
        assert len(list(film.decode(video=0))) == 5


def test_a_moving_picture_becomes_a_film(upscale: Upscale) -> None:
    random = np.random.default_rng(0)
    frames = [Image.fromarray(random.integers(0, 256, (16, 24, 3), np.uint8)) for _ in range(3)]
    frames[0].save("a.gif", save_all=True, append_images=frames[1:], duration=[100, 300, 200])
    assert upscale("a.gif", "-o", "a.mp4") == 0
    assert [float(time) for time in shown(Path("a.mp4"))] == [0.0, 0.1, 0.4]


KILLS = """
import functools, os, signal, sys
from pathlib import Path
import av, torch
from esrgan_cli.films import run
from esrgan_cli.main import main
from esrgan_torch.films import enlarge
from esrgan_torch.films.encode import Encoder
from esrgan_torch.films.parts import Parts
run.FilmJob = functools.partial(run.FilmJob, part=2)
model, source, folder = sys.argv[1:]

def attempt(name, owner=None, moment="", count=0):
    # in a process of its own, that has not computed yet
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    if owner is not None:
        function = getattr(owner, moment)
        left = [count]
        def killing(*arguments, **more):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **more)
        setattr(owner, moment, killing)
    target = Path(folder, name)
    os._exit(main(["upscale", source, "-o", str(target), "--codec", "ffv1", "--model", model,
                   "--device", "cpu", "--dtype", "float32"]))

moments = [(Encoder, "put", 1), (Encoder, "put", 4), (Parts, "add", 1), (Parts, "add", 3),
           (Parts, "_append", 1), (Parts, "_append", 3), (enlarge, "join", 1), (Parts, "remove", 1)]
print(attempt("whole.mkv"))
for number, moment in enumerate(moments):
    print(attempt(f"{number}.mkv", *moment), Path(folder, f"{number}.mkv").exists(), attempt(f"{number}.mkv"))
# killed again and again, it gets on by a part at least each time
print(*(attempt("often.mkv", Encoder, "put", 3) for _ in range(3)), attempt("often.mkv"))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs kill -9 and fork")
def test_a_film_that_is_killed_in_any_moment_goes_on(
    tiny_model: Path, tmp_path: Path, start_command: Callable[..., Any]
) -> None:
    source = make_clip(tmp_path / "a.mkv", frames=7)
    process = start_command(KILLS, str(tiny_model), str(source), str(tmp_path))
    printed, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    statuses = [line for line in printed.splitlines() if not line.endswith(".mkv")]
    # the last one is killed when the result has its name, and the rest is to be cleared away
    assert statuses == ["0", *["9 False 0"] * 7, "9 True 0", "9 9 9 0"]
    assert "kept of an earlier run" in said
    whole = pixels_of(tmp_path / "whole.mkv")
    assert len(whole) == 7
    names = [f"{number}.mkv" for number in range(8)] + ["often.mkv"]
    for name in names:
        found = pixels_of(tmp_path / name)
        assert len(found) == 7, name
        assert all(np.array_equal(*pair) for pair in zip(found, whole, strict=True)), name
        assert shown(tmp_path / name) == shown(source)
    left = {path.name for path in tmp_path.iterdir()} - {*names, "a.mkv", "whole.mkv", ".esrgan.jsonl"}
    assert left <= {".7.mkv.part"}


def test_ctrl_c_keeps_what_is_done_and_says_where(
    upscale: Upscale, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip(Path("a.mkv"), frames=9)
    monkeypatch.setattr(run, "FilmJob", partial(run.FilmJob, part=2))
    put = Encoder.put
    count = iter(range(100))

    def interrupted(self: Encoder, *arguments: Any) -> None:
        if next(count) == 5:
            raise KeyboardInterrupt
        put(self, *arguments)

    monkeypatch.setattr(Encoder, "put", interrupted)
    threads = threading.active_count()
    assert upscale("a.mkv", "-o", "b.mkv", "--codec", "ffv1") == 130
    said = capsys.readouterr().err
    assert "a.mkv: what is done is kept in .b.mkv.part; the same command goes on from there" in said
    assert "0 done, 0 skipped, 0 failed, 1 not finished" in said
    assert threading.active_count() == threads
    monkeypatch.setattr(Encoder, "put", put)
    assert upscale("a.mkv", "-o", "b.mkv", "--codec", "ffv1") == 0
    assert "9 frames, 4 kept of an earlier run" in capsys.readouterr().err
    assert not Path(".b.mkv.part").exists()


def test_another_process_at_the_same_film(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    make_clip(Path("a.mkv"), frames=3)
    with Parts(Path("b.mkv"), {}):
        assert upscale("a.mkv", "-o", "b.mkv") == 1
        assert "another process is making b.mkv at this moment" in capsys.readouterr().err
    assert upscale("a.mkv", "-o", "b.mkv") == 0


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
        (("in", "--format", "png"), "--format of films is"),
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


@pytest.mark.parametrize("target", ["out.mkv", "out.y4m"])
def test_raw_frames_that_are_cut_off(
    target: str, upscale: Upscale, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = make_clip(Path("a.y4m"), codec="wrapped_avframe", frames=60).read_bytes()
    half = (6 + 16 * 24 * 3 // 2) // 2
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(whole[:-half])))
    monkeypatch.setattr(run, "FilmJob", partial(run.FilmJob, part=2))
    assert upscale("-", "-o", target) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "stdin is cut off: it ends in the middle of a frame, after 59 whole frames" in told.err
    assert "kept in" not in told.err
    assert [path.name for path in Path().iterdir() if path.name != ".esrgan.jsonl"] == ["a.y4m"]


def test_raw_frames_before_a_cut_go_to_stdout(tiny_model: Path, tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "a.y4m", codec="wrapped_avframe", frames=5).read_bytes()
    command = [sys.executable, "-m", "esrgan_cli", "upscale", "-", "--format", "y4m", "--device", "cpu"]
    result = subprocess.run(
        [*command, "--model", str(tiny_model)],
        input=whole[:-100],
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert result.returncode == 1
    assert b"after 4 whole frames" in result.stderr
    frames = len(result.stdout) - result.stdout.index(b"\n") - 1
    assert frames > 0
    assert frames % (6 + 64 * 96 * 3 // 2) == 0
