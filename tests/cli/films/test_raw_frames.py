"""Raw frames through stdin and stdout."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from esrgan_cli.films import run
from esrgan_torch.films.library import pyav
from tests.torch.films.clips import make_clip

Upscale = Callable[..., int]


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
