"""What is read as a film, and what is not."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from esrgan_torch.errors import FilmReadError
from esrgan_torch.films.read import FilmReader
from tests.torch.films.clips import make_clip


@pytest.mark.parametrize("data", [b"", b"\0" * 5000, b"no film" * 100])
def test_what_is_no_film(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    with pytest.raises(FilmReadError, match=r"a\.mp4: "):
        FilmReader(path)


def test_sound_alone_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "a.mka"
    with av.open(str(path), "w", format="matroska") as output:
        stream: Any = output.add_stream("flac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
        frame.sample_rate = 48000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with pytest.raises(FilmReadError, match="contains no video"):
        FilmReader(path)


def reordered(path: Path) -> Path:
    """A film whose decoder holds frames back: they are stored in another order than that of their times."""
    return make_clip(path, codec="libx264", frames=10, options={"bf": "3"})


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_the_last_frames_come_where_the_film_is_not_the_first_stream(suffix: str, tmp_path: Path) -> None:
    plain = reordered(tmp_path / f"a.{suffix}")
    source = tmp_path / f"b.{suffix}"
    with av.open(str(plain)) as film, av.open(str(source), "w") as output:
        sound: Any = output.add_stream("aac", rate=48000, layout="mono")
        copy = output.add_stream_from_template(film.streams.video[0], opaque=True)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        output.mux([*sound.encode(frame), *sound.encode(None)])
        for packet in film.demux():
            if packet.size:
                packet.stream = copy
                output.mux_one(packet)
    with FilmReader(plain) as before, FilmReader(source) as after:
        assert len(list(before.stills())) == len(list(after.stills())) == 10


def test_streams_of_data_beside_the_film(tmp_path: Path) -> None:
    source = tmp_path / "b.mp4"
    with av.open(str(reordered(tmp_path / "a.mp4"))) as film, av.open(str(source), "w") as output:
        copy = output.add_stream_from_template(film.streams.video[0], opaque=True)
        # MP4 stores them as a stream that nothing decodes
        output.set_chapters(
            [{"id": 1, "start": 0, "end": 1, "time_base": Fraction(1), "metadata": {"title": "A"}}]
        )
        for packet in film.demux():
            if packet.size:
                packet.stream = copy
                output.mux_one(packet)
    with av.open(str(source)) as film:
        assert [stream.type for stream in film.streams] == ["video", "data"]
    with FilmReader(source) as reader:
        assert len(list(reader.stills())) == 10


def test_a_cover_is_no_film(tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    with av.open(str(source), "w") as output:
        stream: Any = output.add_stream("mjpeg", rate=1, width=16, height=16, pix_fmt="yuvj420p")
        stream.disposition = av.stream.Disposition.attached_pic
        output.mux([*stream.encode(av.VideoFrame(16, 16, "yuvj420p")), *stream.encode(None)])
    with pytest.raises(FilmReadError, match=r"a\.mp4 contains no video, only a cover picture"):
        FilmReader(source)


def test_what_stands_beside_the_frames_is_named(tmp_path: Path) -> None:
    hdr = {"x265-params": "log-level=none:max-cll=1000,400"}
    source = make_clip(
        tmp_path / "a.mkv", codec="libx265", form="yuv420p10le", height=32, width=32, frames=2, options=hdr
    )
    with FilmReader(source) as reader:
        assert reader.film.notes == ("its HDR10 levels of brightness are left out",)


def test_large_frames_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mkv", frames=1)
    with pytest.raises(FilmReadError, match="24 x 16"):
        FilmReader(source, max_pixels=24 * 16 - 1)
