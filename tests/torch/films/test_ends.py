"""Films that end before they say."""

import io
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from esrgan_torch.errors import FilmReadError
from esrgan_torch.films.ends import Ends
from esrgan_torch.films.enlarge import FilmJob
from esrgan_torch.films.read import FilmReader
from esrgan_torch.films.survey import survey
from esrgan_torch.upscaler import Upscaler
from tests.torch.films.clips import frames_of, make_clip, noise


class Pipe:
    """What can only be read on."""

    def __init__(self, data: bytes) -> None:
        self.read = io.BytesIO(data).read


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "avi", "flv"])
@pytest.mark.parametrize("sound", [None, "aac"])
def test_a_pipe_that_ends_early_gives_what_came(suffix: str, sound: str | None, tmp_path: Path) -> None:
    source = make_clip(
        tmp_path / f"a.{suffix}",
        codec="mpeg4" if suffix == "avi" else "libx264",
        frames=100,
        height=32,
        width=32,
        sound=sound,
        options={"g": "10"},
        # with its table in front, as servers send it
        container={"movflags": "faststart"} if suffix == "mp4" else {},
    )
    data = source.read_bytes()

    def told(part: bytes) -> tuple[int, str]:
        pipe: Any = Pipe(part)
        with FilmReader(pipe, "a") as reader:
            return len(list(reader.stills())), reader.short

    assert told(data) == (100, "")
    frames, short = told(data[: len(data) // 2])
    assert 20 < frames < 60
    assert re.fullmatch(r"it ends after [12]\.\d s, and says that it has 4\.\d s", short)


def announcing(path: Path, seconds: float) -> Path:
    """A film of FLV that says another length than it has."""
    data = bytearray(path.read_bytes())
    at = data.index(b"\0\x08duration\0") + 11  # a name, and a number of 8 bytes
    struct.pack_into(">d", data, at, seconds)
    path.write_bytes(data)
    return path


def test_a_stream_whose_length_is_wrong_is_done_with_a_note(tmp_path: Path, upscaler: Upscaler) -> None:
    source = announcing(make_clip(tmp_path / "a.flv", codec="flv1", frames=5), 60)
    with pytest.raises(FilmReadError, match=r"a\.flv is cut off: it ends after 0\.2 s, and says .* 60\.0 s"):
        survey(source)  # before any work
    pipe: Any = Pipe(source.read_bytes())
    with FilmReader(pipe, "stdin") as reader:
        result = FilmJob(reader, None, tmp_path / "b.mkv", [upscaler]).run()
    assert result.frames == 5
    assert len(frames_of(tmp_path / "b.mkv")) == 5
    assert (
        "it ends after 0.2 s, and says that it has 60.0 s: it may have been cut off on its way; "
        "all that came is in the result"
    ) in result.notes


def test_a_pipe_that_ends_before_its_first_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe: Any = Pipe(make_clip(tmp_path / "a.mkv", frames=2).read_bytes())
    monkeypatch.setattr(FilmReader, "_decode", lambda _: iter(()))
    monkeypatch.setattr(Ends, "short", lambda _: "it ends after 1.0 s, and says that it has 4.0 s")
    with pytest.raises(FilmReadError, match=r"^stdin is cut off: it ends after 1\.0 s"):
        FilmReader(pipe, "stdin")


def test_frames_that_change_their_size(tmp_path: Path) -> None:
    path = tmp_path / "a.mjpeg"
    with path.open("wb") as file:  # each picture of such a stream has a size of its own
        for height, width in ((16, 24), (16, 24), (32, 24)):
            Image.fromarray(noise(1, height, width)[0]).save(file, "JPEG")
    with FilmReader(path, form="mjpeg") as reader:
        stills = reader.stills()
        assert [next(stills).pixels.shape for _ in range(2)] == [(16, 24, 3)] * 2
        with pytest.raises(FilmReadError, match=r"frame 3 is 24 x 32 pixels, and the first was 24 x 16"):
            next(stills)


@pytest.mark.parametrize("way", ["path", "pipe"])
def test_a_film_that_does_not_begin_at_zero_is_whole(way: str, tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", frames=25, starts=range(500, 525))
    source: Any = path if way == "path" else Pipe(path.read_bytes())
    with FilmReader(source, "a") as reader:
        assert len(list(reader.stills())) == 25
