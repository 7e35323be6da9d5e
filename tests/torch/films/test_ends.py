"""Films that end before they say."""

import io
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from esrgan_torch.errors import FilmReadError
from esrgan_torch.films.ends import check_bytes
from esrgan_torch.films.read import FilmReader
from esrgan_torch.films.survey import survey
from tests.torch.films.clips import make_clip, noise


class Pipe:
    """What can only be read on."""

    def __init__(self, data: bytes) -> None:
        self.read = io.BytesIO(data).read


@pytest.mark.parametrize("suffix", ["mkv", "webm", "y4m"])
def test_a_file_that_lacks_its_last_bytes(suffix: str, tmp_path: Path) -> None:
    codec = {"mkv": "libx264", "webm": "libvpx-vp9", "y4m": "wrapped_avframe"}[suffix]
    source = make_clip(tmp_path / f"a.{suffix}", codec=codec, frames=5)
    check_bytes(source)
    assert survey(source).frames == 5
    source.write_bytes(source.read_bytes()[:-1])
    with pytest.raises(FilmReadError, match="is cut off"):
        survey(source)


def test_a_film_of_matroska_s_that_does_not_know_its_size(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mkv", frames=2)
    data = bytearray(source.read_bytes())
    at = data.index(b"\x18\x53\x80\x67") + 4
    data[at : at + 8] = b"\x01" + b"\xff" * 7
    source.write_bytes(data[:-1])
    check_bytes(source)
    for short in (b"", b"\x1a\x45\xdf\xa3", b"\x1a\x45\xdf\xa3\x01", b"\x1a\x45\xdf\xa3\0\0"):
        source.write_bytes(short)
        check_bytes(source)


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
@pytest.mark.parametrize("sound", [None, "aac"])
def test_a_pipe_that_ends_early(suffix: str, sound: str | None, tmp_path: Path) -> None:
    source = make_clip(
        tmp_path / f"a.{suffix}",
        codec="libx264",
        frames=100,
        height=32,
        width=32,
        sound=sound,
        options={"g": "10"},
    )
    if suffix == "mp4":  # with its table in front, as servers send it
        fast = tmp_path / "b.mp4"
        with (
            av.open(str(source)) as given,
            av.open(str(fast), "w", container_options={"movflags": "faststart"}) as output,
        ):
            streams = {each.index: output.add_stream_from_template(each) for each in given.streams}
            for packet in given.demux():
                if packet.dts is not None:
                    index = packet.stream_index
                    packet.stream = streams[index]
                    output.mux(packet)
        source = fast
    data = source.read_bytes()

    def frames(part: bytes) -> int:
        pipe: Any = Pipe(part)
        with FilmReader(pipe, "a") as reader:
            return len(list(reader.stills()))

    assert frames(data) == 100
    with pytest.raises(FilmReadError, match=r"a is (cut off|damaged)"):
        frames(data[: len(data) // 2])


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
