"""`esrgan upscale` on films."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from esrgan_torch.films.read import FilmReader, Still
from tests.cli.conftest import MakePicture
from tests.torch.films.clips import frames_of, make_clip, shown

Upscale = Callable[..., int]


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
        (("a.mkv", "--codec", "ffv1", "--crf", "3"), "ffv1 is lossless, and has no --crf"),
        (("a.mkv", "--crf", "99"), "--crf of h264 lies in 0 to 51, not 99"),
        (("a.mkv", "--preset", "quick"), "--preset of h264 is ultrafast, superfast"),
        (("a.mkv", "-o", "b.webm", "--codec", "h264"), "h264 cannot be written into .webm"),
        (("a.mkv", "--format", "webp"), "--format of films is mp4, m4v, mov, mkv, webm, y4m, not webp"),
        (("a.mkv", "-o", "b.mp4", "--format", "mkv"), "contradict each other"),
        (("a.mkv", "a.mkv", "-o", "b.mp4"), "there are several inputs"),
        (("a.mkv", "-o", "-", "--format", "mp4"), "to stdout only as --format y4m"),
        (("a.mkv", "-o", "b.y4m", "--crf", "3"), "y4m contains raw frames"),
        (("b.png", "--crf", "3"), "--crf is for films, and no input is a film"),
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
    assert "[1/3] failed: cut.mp4 is cut off: " in output.err
    assert "[2/3] failed: empty.mkv: " in output.err
    assert "1 done, 0 skipped, 2 failed" in output.err
    assert sorted(path.name for path in Path("out").iterdir()) == [".esrgan.jsonl", "good-x4.mp4"]
    assert "Traceback" not in output.err


def test_a_defect_does_not_stop_the_others(
    upscale: Upscale, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.mkv", "b.mkv"):
        make_clip(Path(name), frames=2)
    stills = FilmReader.stills

    def broken(self: FilmReader, skip: int = 0) -> Iterator[Still]:
        if self.film.name == "a.mkv":
            raise AttributeError("no such thing")
        return stills(self, skip)

    monkeypatch.setattr(FilmReader, "stills", broken)
    assert upscale("a.mkv", "b.mkv", "-o", "out", "--report", "r.jsonl") == 1
    said = capsys.readouterr().err
    assert "[1/2] failed: a.mkv: AttributeError: no such thing (test_run.py, line " in said
    assert "this is a defect of esrgan" in said
    assert "1 done, 0 skipped, 1 failed" in said
    assert Path("r.jsonl").read_text(encoding="utf-8").count('"failed"') == 1


def test_without_pyav_it_says_what_to_install(
    upscale: Upscale, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip(Path("a.mkv"), frames=2)
    monkeypatch.setitem(sys.modules, "av", None)
    assert upscale("a.mkv") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "films need esrgan-torch[video]" in line
    assert "pip install 'esrgan-torch[video]'" in line


def test_a_moving_picture_becomes_a_film(upscale: Upscale) -> None:
    random = np.random.default_rng(0)
    frames = [Image.fromarray(random.integers(0, 256, (16, 24, 3), np.uint8)) for _ in range(3)]
    frames[0].save("a.gif", save_all=True, append_images=frames[1:], duration=[100, 300, 200])
    assert upscale("a.gif", "-o", "a.mp4") == 0
    assert [float(time) for time in shown(Path("a.mp4"))] == [0.0, 0.1, 0.4]
