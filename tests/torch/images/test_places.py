"""Where pictures come from and go to: regular files, bytes, open files, names as long as can be."""

import io
import os
import socket
from pathlib import Path

import numpy as np
import pytest

from esrgan_torch.errors import ConfigError, ImageReadError, ImageWriteError
from esrgan_torch.images.files import Frame, Picture, read_frames, read_image, write_frames, write_image

PIXELS = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
posix = pytest.mark.skipif(os.name != "posix", reason="no such files here")


@posix
def test_a_pipe_is_named_and_never_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    monkeypatch.delattr(Path, "open")  # which would wait
    with pytest.raises(ImageReadError, match=r"pipe\.png is a named pipe"):
        read_image(tmp_path / "pipe.png")


@posix
def test_devices_and_sockets_are_named(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match="null is a device"):
        read_image("/dev/null")
    (tmp_path / "link.png").symlink_to("/dev/zero")
    with pytest.raises(ImageReadError, match=r"link\.png is a device"):
        read_image(tmp_path / "link.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.png"))
        with pytest.raises(ImageReadError, match=r"s\.png is a socket"):
            read_image(tmp_path / "s.png")


@posix
def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "loop.png").symlink_to("loop.png")
    with pytest.raises(ImageReadError, match=r"loop\.png is a link that leads back to itself"):
        read_image(tmp_path / "loop.png")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    with pytest.raises(ImageReadError, match=r"gone\.png is a link that leads nowhere"):
        read_image(tmp_path / "gone.png")


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    for name in ("a" * 300 + ".png", "a\0b.png"):
        with pytest.raises(ImageReadError, match="cannot"):
            read_image(tmp_path / name)
        with pytest.raises(ImageWriteError, match="cannot write"):
            write_image(tmp_path / name, PIXELS)
    with pytest.raises(ImageWriteError, match="its name of 304 bytes is longer than the file system allows"):
        write_image(tmp_path / ("a" * 300 + ".png"), PIXELS)
    assert list(tmp_path.iterdir()) == []


@posix
@pytest.mark.parametrize("name", ["a" * 251 + ".png", "猫" * 83 + ".tif", "a." + "b" * 253])
def test_names_of_255_bytes(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / name, PIXELS, format="png")
    np.testing.assert_array_equal(read_image(tmp_path / name).pixels, PIXELS)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_bytes_and_open_files(tmp_path: Path) -> None:
    stream = io.BytesIO()
    write_image(stream, PIXELS, format="png")
    np.testing.assert_array_equal(read_image(stream.getvalue()).pixels, PIXELS)
    np.testing.assert_array_equal(read_image(io.BytesIO(stream.getvalue())).pixels, PIXELS)
    with (tmp_path / "a.bin").open("wb") as file:
        write_image(file, PIXELS, format="tiff")
    with (tmp_path / "a.bin").open("rb") as file:
        np.testing.assert_array_equal(read_image(file).pixels, PIXELS)
    frames = io.BytesIO()
    write_frames(frames, [Frame(Picture(PIXELS), 0.1), Frame(Picture(255 - PIXELS), 0.1)], format="webp")
    assert read_frames(frames.getvalue()).count == 2


@posix
def test_a_pipe_that_is_open_is_read_to_its_end(tmp_path: Path) -> None:
    stream = io.BytesIO()
    write_image(stream, PIXELS, format="png")
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as file:
        file.write(stream.getvalue())
    with os.fdopen(reader, "rb") as file:
        np.testing.assert_array_equal(read_image(file).pixels, PIXELS)


def test_what_open_files_are_called_in_errors() -> None:
    with pytest.raises(ImageReadError, match="the given picture is empty"):
        read_image(b"")
    with pytest.raises(ImageReadError, match="the given file is not a picture"):
        read_image(io.BytesIO(b"no picture at all"))
    with pytest.raises(ConfigError, match="give a format"):
        write_image(io.BytesIO(), PIXELS)


def test_closed_and_broken_targets() -> None:
    class Broken(io.BytesIO):
        def write(self, *_: object) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(ImageWriteError, match="the given file: Broken pipe"):
        write_image(Broken(), PIXELS, format="png")
    closed = io.BytesIO()
    closed.close()
    with pytest.raises(ImageWriteError, match="closed file"):
        write_image(closed, PIXELS, format="png")
