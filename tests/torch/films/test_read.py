"""What is read as a film, and what is not."""

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


def test_large_frames_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mkv", frames=1)
    with pytest.raises(FilmReadError, match="24 x 16"):
        FilmReader(source, max_pixels=24 * 16 - 1)
