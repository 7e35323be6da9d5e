"""Raw frames that end where a frame does, and others."""

import io
from pathlib import Path
from typing import Any

import pytest

from esrgan_torch.errors import FilmReadError
from esrgan_torch.films.raw import RawFrames, check_raw, frame_bytes
from esrgan_torch.films.read import FilmReader
from tests.torch.films.clips import make_clip

FORMS = ("yuv420p", "yuv422p", "yuv444p", "yuv411p", "gray", "yuv420p10le", "yuv444p12le", "gray10le")


@pytest.mark.parametrize("form", FORMS)
def test_as_many_bytes_as_ffmpeg_writes(form: str, tmp_path: Path) -> None:
    path = make_clip(
        tmp_path / "a.y4m",
        codec="wrapped_avframe",
        frames=3,
        form=form,
        height=15,
        width=23,
        container={"strict": "-1"},
    )
    data = path.read_bytes()
    header, _, rest = data.partition(b"\n")
    size = frame_bytes(header + b"\n")
    assert size is not None
    assert len(rest) == 3 * (len(b"FRAME\n") + size)


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_every_place_where_a_film_may_end(chunk: int, tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.y4m", codec="wrapped_avframe", frames=3, height=2, width=2)
    data = path.read_bytes()
    begin = data.index(b"\n") + 1
    frame = (len(data) - begin) // 3
    for end in range(begin, len(data) + 1):
        frames = RawFrames()
        for start in range(0, end, chunk):
            frames.feed(data[start : min(start + chunk, end)])
        whole, rest = divmod(end - begin, frame)
        assert frames.whole == whole
        if rest:
            with pytest.raises(FilmReadError, match=f"a is cut off: .* after {whole} whole frame"):
                frames.check("a")
        else:
            frames.check("a")


def test_frames_may_say_more_of_themselves() -> None:
    one = b"FRAME Ip XYSCSS=\n" + bytes(6)
    check_raw(io.BytesIO(b"YUV4MPEG2 W2 H2\n" + 2 * one), "a")
    with pytest.raises(FilmReadError, match="after 1 whole frame;"):
        check_raw(io.BytesIO(b"YUV4MPEG2 W2 H2\n" + one + one[:-1]), "a")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"YUV4MPEG2",
        b"YUV4MPEG2 W2 H2 Cstrange\nFRAME\n1",
        b"YUV4MPEG2 Wx H2\nFRAM",
        b"RIFF" * 99,
        bytes(9999),
    ],
)
def test_what_is_not_known_is_passed_over(data: bytes) -> None:
    check_raw(io.BytesIO(data), "a")


class Pipe:
    """What can only be read on."""

    def __init__(self, data: bytes) -> None:
        self.read = io.BytesIO(data).read


@pytest.mark.parametrize("kind", ["pipe", "file", "path"])
def test_a_reader_tells_in_the_end(kind: str, tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.y4m", codec="wrapped_avframe", frames=4)
    data = path.read_bytes()[:-100]
    path.write_bytes(data)
    source: Any = {"pipe": Pipe(data), "file": io.BytesIO(data), "path": path}[kind]
    with FilmReader(source, "a") as reader:
        stills = reader.stills()
        assert len([next(stills) for _ in range(3)]) == 3
        with pytest.raises(FilmReadError, match="after 3 whole frames"):
            next(stills)


def test_not_even_one_frame(tmp_path: Path) -> None:
    data = make_clip(tmp_path / "a.y4m", codec="wrapped_avframe", frames=1).read_bytes()
    source: Any = Pipe(data[:-1])
    with pytest.raises(FilmReadError, match="after 0 whole frames"):
        FilmReader(source, "a")
    source = Pipe(data[: data.index(b"\n") + 1])
    with pytest.raises(FilmReadError, match="without a frame"):
        FilmReader(source, "a")


@pytest.mark.parametrize("header", ["W" + "1" * 5000 + " H2 F25:1", "W2 H2 F25:1 C420p" + "1" * 5000])
def test_numbers_of_thousands_of_digits(header: str) -> None:
    source: Any = Pipe(f"YUV4MPEG2 {header}\nFRAME\n".encode() + bytes(100))
    with pytest.raises(FilmReadError):
        FilmReader(source, "a")
