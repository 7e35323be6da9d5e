"""Films of `esrgan upscale` that are stopped or killed, and go on."""

import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from esrgan_cli.films import run
from esrgan_torch.films.encode import Encoder
from esrgan_torch.films.parts import Parts
from esrgan_torch.films.read import FilmReader
from tests.torch.films.clips import make_clip, shown

Upscale = Callable[..., int]


def pixels_of(path: Path) -> list[Any]:
    with FilmReader(path) as reader:
        return [still.pixels for still in reader.stills()]


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
    assert "a.mkv: what is done is kept in .b.mkv.part; repeat the command to resume" in said
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
