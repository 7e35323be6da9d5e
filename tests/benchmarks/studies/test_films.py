"""The benchmark of films: both ways make the same frames, and rows say what they cost."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from esrgan_benchmarks.studies import films
from esrgan_torch.films.read import FilmReader


def test_frames_are_shown_as_often_as_the_case_says() -> None:
    frames = films.pan(6, 2)
    equal = [np.array_equal(*pair) for pair in pairwise(frames)]
    assert equal == [True, False, True, False, True]
    assert frames[0].shape == (*films.SIZE, 3)


def test_apart_and_together_again(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    films.write_film(clip, films.pan(4, 1), crf="1")
    films.take_apart(clip, tmp_path)
    assert len(list(tmp_path.glob("*.png"))) == 4
    films.put_together(tmp_path, tmp_path / "again.mp4")
    with FilmReader(clip) as before, FilmReader(tmp_path / "again.mp4") as after:
        for one, other in zip(before.stills(), after.stills(), strict=True):
            assert np.abs(one.pixels.astype(int) - other.pixels).mean() < 4


def test_a_row_for_each_way(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, ...]] = []

    def command(*arguments: str) -> None:
        done.append(arguments)
        if Path(arguments[0]).is_dir():  # the folder of frames becomes the folder of results
            Path(arguments[0]).rename(arguments[2])

    monkeypatch.setattr(films, "_command", command)
    rows = films.measure("on twos", "some-network", frames=4, runs=2)
    assert [row["way"] for row in rows] == ["film", "folder"]
    assert len(done) == 4
    for row in rows:
        assert row["frames_a_second"] == round(4 / row["seconds"]["median"], 3)
    assert rows[0]["temporary_bytes"] == 0 < rows[1]["temporary_bytes"]
    row = {"processor": "P", "threads": 1, "bfloat16": False, "torch": "2", "date": "2026-01-01"}
    assert "| on twos | some-network | `esrgan upscale clip.mp4` |" in films.table(
        [each | row for each in rows]
    )
