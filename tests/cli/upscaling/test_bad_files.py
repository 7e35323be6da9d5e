"""A file that cannot be read, made or written costs no other."""

import errno
import os
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from esrgan_torch.images.picture import Picture
from esrgan_torch.upscaled import Upscaled
from esrgan_torch.upscaler import Upscaler
from tests.support.folders import made

MakePicture = Callable[..., Path]
Upscale = Callable[..., int]
Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("devices", ["cpu", "cpu,cpu"])
def test_a_defect_costs_one_picture(
    devices: str,
    upscale: Upscale,
    make_picture: MakePicture,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    for number in range(5):
        make_picture(Path(f"in/{number}.png"), 10, 12 + number)
    whole = Upscaler.upscale

    def fail(self: Upscaler, picture: Picture, *others: object) -> Upscaled:
        if picture.width == 13:
            raise ZeroDivisionError("by nothing")
        return whole(self, picture, *others)

    monkeypatch.setattr(Upscaler, "upscale", fail)
    assert upscale("in", "-o", "out", "--device", devices) == 1
    errors = capsys.readouterr().err
    assert "failed: in/1.png: ZeroDivisionError: by nothing (test_bad_files.py, line" in errors.replace(
        "\\", "/"
    )
    assert "4 done, 0 skipped, 1 failed" in errors
    assert len(made("out")) == 4


def zeros_png(width: int, height: int) -> bytes:
    """A PNG whose header announces a size that its data does not hold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty (0 bytes)"),
        (b"just some text", "is not a picture"),
        ("truncated", "damaged"),
        (zeros_png(60_000, 60_000), "3,600.0 million pixels"),
    ],
    ids=["empty", "text", "truncated", "bomb"],
)
def test_a_bad_input_does_not_stop_the_others(
    content: bytes | str, words: str, upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    make_picture(Path("c.png"))
    bad = Path("bad.png")
    if content == "truncated":
        whole = make_picture(bad, 60, 60).read_bytes()
        bad.write_bytes(whole[: len(whole) // 2])
    else:
        assert isinstance(content, bytes)
        bad.write_bytes(content)
    assert upscale("bad.png", "c.png", "-o", "out") == 1
    captured = capsys.readouterr()
    [failure, _, summary] = captured.err.splitlines()
    assert failure.startswith("[1/2] failed: bad.png")
    assert failure.count("bad.png") == 1
    assert words in failure
    assert "1 done, 0 skipped, 1 failed" in summary
    assert captured.out == f"{Path('out/c-x4.png')}\n"
    assert made("out") == ["c-x4.png"]


def test_a_warning_of_a_decoder_has_the_name_of_its_file(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    for name in ("a.png", "b.png"):
        whole = make_picture(Path(name)).read_bytes()
        chunk = b"sRGB\x09"  # an intent that there is not
        Path(name).write_bytes(
            whole[:33] + struct.pack(">I", 1) + chunk + struct.pack(">I", zlib.crc32(chunk)) + whole[33:]
        )
    assert upscale("a.png", "b.png", "-o", "out") == 0
    warned = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert warned == [
        f"esrgan: warning: {name}: its chunk sRGB is damaged; it is left out" for name in ("a.png", "b.png")
    ]


def test_a_warning_of_libpng_has_the_name_of_its_file(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    for name in ("a.png", "b.png"):
        whole = make_picture(Path(name), dtype=np.uint16).read_bytes()  # 8 bits are not for libpng
        chunk = b"tRNS" + bytes(8)  # a colour of four channels
        Path(name).write_bytes(
            whole[:33] + struct.pack(">I", 8) + chunk + struct.pack(">I", zlib.crc32(chunk)) + whole[33:]
        )
    assert upscale("a.png", "b.png", "-o", "out") == 0
    warned = [line for line in capsys.readouterr().err.splitlines() if "PNG" in line]
    assert warned == [f"esrgan: warning: {name}: PNG warning: tRNS: invalid" for name in ("a.png", "b.png")]


def test_a_target_that_is_a_folder_fails_before_the_work(
    upscale: Upscale, make_picture: MakePicture, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    make_picture(Path("a.png"))
    Path("a-x4.png").mkdir()
    monkeypatch.delattr(Upscaler, "upscale")
    assert upscale("a.png") == 1
    assert "failed: a.png: cannot write: a-x4.png is a folder" in capsys.readouterr().err


def test_what_a_folder_holds_besides_is_called_by_its_kind(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    make_picture(Path("in/a.png"))
    make_picture(Path("in/b.png")).rename("in/nameless")
    Path("in/c.psd").write_bytes(b"8BPS\0\1")
    Path("in/d.NEF").write_bytes(b"")
    Path("in/notes.txt").write_text("notes")
    assert upscale("in", "-o", "out") == 0
    told = capsys.readouterr().err.replace("\\", "/")
    assert "in/nameless is PNG without a suffix of pictures; give it by its name, or rename it: left" in told
    assert "in/c.psd is a Photoshop file; export it as PNG or TIFF: left out" in told
    assert "in/d.NEF is a camera's raw file" in told
    assert "in/notes.txt is no picture: left out" in told


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_in_a_folder_is_not_opened(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_picture(Path("in/a.png"))
    os.mkfifo("in/pipe")
    whole = Path.open

    def opened(self: Path, *arguments: Any, **more: Any) -> Any:
        assert self.name != "pipe"  # which would wait for ever
        return whole(self, *arguments, **more)

    monkeypatch.setattr(Path, "open", opened)
    assert upscale("in", "-o", "out") == 0
    assert "pipe is no picture: left out" in capsys.readouterr().err


def test_a_missing_file_does_not_stop_the_others(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    make_picture(Path("c.png"))
    assert upscale("bad.png", "c.png", "-o", "out") == 1
    captured = capsys.readouterr()
    assert "failed: bad.png does not exist" in captured.err
    assert "1 done, 0 skipped, 1 failed" in captured.err
    assert made("out") == ["c-x4.png"]


def test_the_limit_of_pixels_can_be_changed(
    upscale: Upscale, make_picture: MakePicture, capsys: Capture
) -> None:
    make_picture(Path("a.png"))
    assert upscale("a.png", "--max-pixels", "0.0001") == 1
    assert "(here: --max-pixels, in millions)" in capsys.readouterr().err
    assert upscale("a.png", "--max-pixels", "0.00012") == 0


def test_memory_that_does_not_suffice_fails_the_file(
    upscale: Upscale, make_picture: MakePicture, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    make_picture(Path("a.png"))
    monkeypatch.setattr(Upscaler, "upscale", fail)
    assert upscale("a.png") == 1
    assert "failed: a.png: not enough memory for the result" in capsys.readouterr().err


def test_what_the_format_cannot_keep_fails_before_the_work(
    upscale: Upscale, make_picture: MakePicture, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    make_picture(Path("alpha.png"), 10, 12, 4)
    make_picture(Path("long.png"), 1, 5000)
    monkeypatch.setattr(Upscaler, "upscale", never)
    assert upscale("alpha.png", "-o", "a.jpg") == 1
    assert "alpha.png: the picture has transparency, which jpg cannot keep" in capsys.readouterr().err
    assert upscale("long.png", "-o", "a.webp") == 1
    assert "20000 pixels long, and webp allows 16383" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["mkdir", "touch", "TemporaryFile"])
def test_a_read_only_output_folder(
    place: str, upscale: Upscale, make_picture: MakePicture, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    make_picture(Path("a.png"))
    monkeypatch.setattr(tempfile if place == "TemporaryFile" else Path, place, refuse)
    assert upscale("a.png", "-o", "out") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "failed: a.png: cannot write" in captured.err
    assert "out" in captured.err
    assert "0 done, 0 skipped, 1 failed" in captured.err


def test_a_full_disk(
    upscale: Upscale, make_picture: MakePicture, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    make_picture(Path("a.png"))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert upscale("a.png", "-o", "out") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "a.png" in captured.err
    assert "is full; free some space" in captured.err
    assert made("out") == []
