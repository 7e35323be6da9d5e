"""Files of strangers in a folder: each costs its own picture, and the others are made."""

from collections.abc import Callable
from pathlib import Path

import pytest

from esrgan_torch.images import reader
from tests.support import odd_workers
from tests.torch.images.test_reader import CRASHES_LZW, said_by

Upscale = Callable[..., int]


def test_a_decoder_that_crashes_costs_one_picture(
    upscale: Upscale, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reader, "WORKER", odd_workers.__name__)
    Path("in").mkdir()
    Path("in/a.tif").write_bytes(said_by("well"))
    Path("in/b.tif").write_bytes(said_by("please abort"))
    Path("in/c.tif").write_bytes(CRASHES_LZW)
    Path("in/d.tif").write_bytes(said_by("well"))
    assert upscale("in", "-o", "out") == 1
    said = capsys.readouterr().err
    assert "failed: in/b.tif: the decoder crashed (signal 6); the TIFF file is damaged" in said
    assert "failed: in/c.tif is a damaged TIFF file" in said
    assert sorted(path.name for path in Path("out").glob("*.png")) == ["a-x4.png", "d-x4.png"]


def test_a_limit_of_pixels_is_told_with_one_hint(
    upscale: Upscale, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.support.mutations import SAMPLES

    Path("in").mkdir()
    for kind in ("webp", "tiff", "gif", "avif", "jxl", "png"):
        Path("in", f"{kind}.{kind}").write_bytes(SAMPLES[kind]())
    assert upscale("in", "-o", "out", "--max-pixels", "0.0001") == 1
    said = capsys.readouterr().err
    assert said.count("million pixels, more than the limit of 0.0 million") == 6
    assert said.count("(here: --max-pixels, in millions)") == 6
    assert "MAX_IMAGE_PIXELS" not in said
