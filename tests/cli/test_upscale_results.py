"""`esrgan upscale`: sizes, formats, backgrounds, stdin and stdout, and what is made again."""

import io
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from esrgan_torch.images.files import Picture, read_image, write_image
from esrgan_torch.images.resample import imresize
from esrgan_torch.upscaler import Upscaler
from esrgan_weights.loading import load
from tests.support.folders import made

MakePicture = Callable[..., Path]
Upscale = Callable[..., int]
Capture = pytest.CaptureFixture[str]
DAY = 86_400


def older(path: str, days: int = 1) -> None:
    """Let a file have been written some days before it was."""
    facts = Path(path).stat()
    os.utime(path, (facts.st_atime, facts.st_mtime - days * DAY))


def test_sizes(upscale: Upscale, make_picture: MakePicture, tiny_model: Path, capsys: Capture) -> None:
    source = make_picture(Path("a.png"))  # 12 x 10
    assert upscale("a.png", "--width", "30") == 0
    assert upscale("a.png", "--height", "9") == 0
    assert upscale("a.png", "--fit", "40x20", "--suffix", " large") == 0
    assert made() == ["a large.png", "a-h9.png", "a-w30.png", "a.png"]
    network = Upscaler(load(tiny_model), "cpu", "float32")(read_image(source)).pixels
    for name, size in {"a-w30.png": (25, 30), "a-h9.png": (9, 11), "a large.png": (20, 24)}.items():
        np.testing.assert_array_equal(read_image(name).pixels, imresize(network, *size))
    capsys.readouterr()
    assert upscale("a.png", "--width", "3000") == 1
    assert "failed: a.png: it is 12 x 10 pixels, and would be enlarged 250 times" in capsys.readouterr().err


def test_the_format_of_the_input(upscale: Upscale, make_picture: MakePicture, capsys: Capture) -> None:
    for name in ("in/a.jpg", "in/b.webp", "in/c.png"):
        make_picture(Path(name))
    make_picture(Path("in/c.png")).rename("in/wrong.jpeg")
    assert upscale("in", "-o", "out", "--format", "same", "--quality", "80") == 0
    assert made("out") == ["a-x4.jpg", "b-x4.webp", "wrong-x4.png"]
    assert upscale("in/a.jpg", "-o", "a.jpg", "--format", "same") == 2
    assert "contradict" in capsys.readouterr().err
    assert upscale("in/a.jpg", "--format", "same", "--quality", "101") == 2


def test_a_background_for_what_is_transparent(upscale: Upscale) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, 4:] = (200, 40, 40, 255)
    write_image("logo.png", pixels)
    assert upscale("logo.png", "-o", "logo.bmp", "--background", "#00f") == 0
    result = read_image("logo.bmp").pixels
    assert result.shape == (32, 32, 3)
    assert (result[:, :8] == (0, 0, 255)).all()
    assert upscale("logo.png", "--background", "nothing") == 2
    assert upscale("logo.png", "--background", "red", "--alpha", "drop") == 2


def test_metadata_that_is_stripped(upscale: Upscale) -> None:
    picture = Picture(np.zeros((4, 4, 3), np.uint8), texts=(("Comment", "of mine"),), density=(300.0, 300.0))
    write_image("a.png", picture)
    assert upscale("a.png") == 0
    assert read_image("a-x4.png").texts == picture.texts
    assert upscale("a.png", "--strip", "--update") == 0
    assert read_image("a-x4.png").texts == ()
    assert b"of mine" not in Path("a-x4.png").read_bytes()


def test_turned_and_mirrored(
    upscale: Upscale, make_picture: MakePicture, tiny_model: Path, capsys: Capture
) -> None:
    source = make_picture(Path("a.png"))
    assert upscale("a.png", "--tta") == 0
    assert "CPU" in (line := capsys.readouterr().err)
    assert re.search("float32, engine [a-z]+, mean of 8; ", line)
    expected = Upscaler(load(tiny_model), "cpu", "float32", tta=True)(read_image(source)).pixels
    np.testing.assert_array_equal(read_image("a-x4.png").pixels, expected)


def test_what_is_made_again(
    upscale: Upscale, make_picture: MakePicture, tiny_model: Path, capsys: Capture
) -> None:
    make_picture(Path("a.png"))
    make_picture(Path("b.png"))

    def again(*options: str) -> str:
        capsys.readouterr()
        assert upscale("a.png", "b.png", "-o", "out", *options) == 0
        return capsys.readouterr().err

    again()
    assert "skipped: " + str(Path("out/a-x4.png")) + " exists; --overwrite" in again()
    assert "0 done, 2 skipped" in again("--update")
    otherwise = again("--alpha", "resize")
    assert "a-x4.png exists, made without --alpha; --update makes it again" in otherwise
    assert "0 done, 2 skipped" in otherwise
    make_picture(Path("a.png"), 11, 12)
    assert "a-x4.png exists, made before its source changed; --update" in again()
    errors = again("--update")
    assert "1 done, 1 skipped" in errors
    assert "made again, since it was made before its source changed" in errors
    assert "2 done" in again("--update", "--alpha", "resize")
    assert "2 done" in again("--update")
    model = tiny_model.with_name("other.safetensors")
    model.write_bytes(tiny_model.read_bytes())
    capsys.readouterr()
    assert upscale("a.png", "-o", "out", model=str(model)) == 0
    assert "made with --model tiny.safetensors; --update" in capsys.readouterr().err


def test_without_a_journal_the_age_decides(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    make_picture(Path("a.png"))
    make_picture(Path("a-x4.png"))
    assert upscale("a.png", "--update", "--alpha", "drop") == 0
    assert "0 done, 1 skipped" in capsys.readouterr().err
    older("a-x4.png")
    assert upscale("a.png") == 0
    assert "a-x4.png exists, older than its source; --update makes it again" in capsys.readouterr().err
    assert upscale("a.png", "--update") == 0
    assert "1 done" in capsys.readouterr().err
    [claim, line] = [json.loads(line) for line in Path(".esrgan.jsonl").read_text("ascii").splitlines()]
    assert (claim["result"], claim["source"]) == ("a-x4.png", "a.png")
    assert line["options"] == {"scale": 4, "dtype": "float32"}


def test_a_name_is_not_given_to_another_picture(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    make_picture(Path("a.png"))
    make_picture(Path("a.jpg"), 11)
    assert upscale("a.png", "-o", "out") == 0
    assert upscale("a.jpg", "-o", "out") == 0
    assert "a-jpg-x4.png" in capsys.readouterr().out
    assert made("out") == ["a-jpg-x4.png", "a-x4.png"]
    assert upscale(".", "-o", "out") == 0
    assert "0 done, 2 skipped" in capsys.readouterr().err


def test_stdin_and_stdout(
    upscale: Upscale,
    make_picture: MakePicture,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    data = make_picture(Path("a.jpg")).read_bytes()

    def give(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    give(data)
    assert upscale("-") == 0
    captured = capsysbinary.readouterr()
    assert captured.out.startswith(b"\x89PNG")
    assert read_image(captured.out).width == 48
    assert captured.err.startswith(b"[1/1] stdin: 12 x 10 to 48 x 40 pixels")
    give(data)
    assert upscale("-", "-o", "-", "--format", "same", "--page", "a.html") == 0
    assert capsysbinary.readouterr().out.startswith(b"\xff\xd8")
    give(data)
    assert upscale("-", "-o", "b.webp") == 0
    assert capsysbinary.readouterr().out == b"b.webp" + os.linesep.encode()
    assert upscale("a.jpg", "-o", "-", "--format", "bmp") == 0
    assert capsysbinary.readouterr().out.startswith(b"BM")
    assert upscale("a.jpg", "-o", "-", "--format", "same") == 0
    assert capsysbinary.readouterr().out.startswith(b"\xff\xd8")
    give(b"")
    assert upscale("-") == 1
    captured = capsysbinary.readouterr()
    assert captured.out == b""
    assert b"failed: stdin: the given picture is empty (0 bytes)" in captured.err
    assert made() == ["a.html", "a.jpg", "b.webp"]
    for arguments in (["-", "a.jpg"], ["a.jpg", "b.webp", "-o", "-"], ["-", "-o", "folder"]):
        assert upscale(*arguments) == 2


def test_what_no_name_can_end_in(upscale: Upscale, make_picture: MakePicture, capsys: Capture) -> None:
    make_picture(Path("in/a.png"))
    assert upscale("in/a.png", "--suffix", "/x") == 2
    assert upscale("in", "--suffix", "") == 2
    assert upscale("in/a.png", "--suffix", "x" * 300) == 2
    assert upscale("in/a.png", "--suffix", "") == 1
    assert "a.png: its result would overwrite it" in capsys.readouterr().err
    assert upscale("in", "-o", "out", "--suffix", "") == 0
    assert made("out") == ["a.png"]
