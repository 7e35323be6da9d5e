"""Films by their first bytes."""

from pathlib import Path

import pytest

from esrgan_torch.films.kinds import is_film
from esrgan_torch.films.read import FilmReader
from esrgan_torch.films.survey import survey
from esrgan_torch.images.kinds import HEAD
from tests.torch.films.clips import make_clip


@pytest.mark.parametrize(
    "name", ["a.mp4", "a.mov", "a.mkv", "a.webm", "a.avi", "a.ts", "a.flv", "a.mpg", "a.wmv", "a.y4m"]
)
def test_every_kind_by_its_content(name: str, tmp_path: Path) -> None:
    codecs = {
        "webm": "libvpx",
        "y4m": "wrapped_avframe",
        "flv": "flv1",
        "mpg": "mpeg1video",
        "wmv": "wmv2",
        "ts": "mpeg2video",
    }
    suffix = name.split(".")[1]
    path = make_clip(tmp_path / name, frames=3, codec=codecs.get(suffix, "mpeg4"))
    assert is_film(path.read_bytes()[:HEAD])
    assert survey(path).frames == 3


def test_others_are_none() -> None:
    assert not is_film(b"\x89PNG\r\n\x1a\n")
    assert not is_film(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", ".mp4")
    assert not is_film(b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", ".cr3")
    assert not is_film(b"hello", ".txt")
    assert is_film(b"hello", ".mp4")  # whose reader then says what is wrong with it


@pytest.mark.parametrize("name", ["concat:a.mp4", "pipe:0.mkv", "a%03d.mkv", "-o.mkv", "ä ö.mkv"])
def test_a_name_is_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_clip(tmp_path / "clip.mkv", frames=2).rename(name)
    with FilmReader(Path(name)) as reader:
        assert len(list(reader.stills())) == 2
