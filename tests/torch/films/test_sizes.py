"""Films whose files are shorter than they say."""

import struct
from pathlib import Path
from typing import Any

import pytest

from esrgan_torch.errors import FilmReadError
from esrgan_torch.films.read import FilmReader
from esrgan_torch.films.sizes import check_bytes
from esrgan_torch.films.survey import survey
from tests.torch.films.clips import make_clip

CODECS = {
    "mkv": "libx264",
    "webm": "libvpx-vp9",
    "y4m": "wrapped_avframe",
    "mp4": "libx264",
    "mov": "mpeg4",
    "avi": "mpeg4",
    "wmv": "wmv2",
}
IN_PIECES = {"movflags": "frag_keyframe+empty_moov"}


def clip(path: Path, **more: Any) -> Path:
    """A film of a second whose table of frames, if there is one, stands before them."""
    suffix = path.suffix[1:]
    more = {"container": {"movflags": "faststart"} if suffix in ("mp4", "mov") else {}, **more}
    return make_clip(path, codec=CODECS[suffix], frames=25, **more)


@pytest.mark.parametrize("suffix", CODECS)
def test_a_file_that_is_cut_off(suffix: str, tmp_path: Path) -> None:
    source = clip(tmp_path / f"a.{suffix}")
    check_bytes(source, "a")
    assert survey(source).frames == 25
    with source.open("rb") as file, FilmReader(file, "open") as reader:
        assert len(list(reader.stills())) == 25
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 3 // 4])
    with pytest.raises(FilmReadError, match=r"a\.\w+ is cut off"):
        survey(source)
    with source.open("rb") as file, pytest.raises(FilmReadError, match=r"^open is cut off"):
        list(FilmReader(file, "open").stills())  # one can go back in it, as one cannot in a pipe


@pytest.mark.parametrize("suffix", ["mkv", "webm", "y4m", "mp4", "mov"])
def test_a_file_that_lacks_its_last_byte(suffix: str, tmp_path: Path) -> None:
    source = clip(tmp_path / f"a.{suffix}")
    source.write_bytes(source.read_bytes()[:-1])
    with pytest.raises(FilmReadError, match="is cut off"):
        survey(source)


def test_a_film_that_does_not_begin_with_its_file(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mkv")
    source.write_bytes(b"before" + source.read_bytes())
    with source.open("rb") as file:
        file.seek(6)
        check_bytes(file, "a")


def test_a_film_of_matroska_s_that_does_not_know_its_size(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mkv", frames=2)
    data = bytearray(source.read_bytes())
    at = data.index(b"\x18\x53\x80\x67") + 4
    data[at : at + 8] = b"\x01" + b"\xff" * 7
    source.write_bytes(data[:-1])
    check_bytes(source, "a")
    for short in (b"", b"\x1a\x45\xdf\xa3", b"\x1a\x45\xdf\xa3\x01", b"\x1a\x45\xdf\xa3\0\0"):
        source.write_bytes(short)
        check_bytes(source, "a")


def test_mp4_in_pieces(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", container=IN_PIECES)
    assert survey(source).frames == 25
    source.write_bytes(source.read_bytes() + b"\0\0\0\x10what a player added")
    check_bytes(source, "a")
    source.write_bytes(clip(tmp_path / "a.mp4", container=IN_PIECES).read_bytes()[:-100])
    with pytest.raises(FilmReadError, match=r"bytes are there; copy or download it again, or take what is"):
        survey(source)


@pytest.mark.parametrize("size", [None, 0])
def test_a_recording_that_was_stopped(size: int | None, tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", container={})
    data = bytearray(source.read_bytes())
    frames = data.index(b"mdat") - 4
    if size is not None:  # as cameras write it while they record: up to the end
        struct.pack_into(">I", data, frames, size)
    source.write_bytes(data[: data.index(b"moov") - 4])
    for given in (source, source.open("rb")):
        with pytest.raises(FilmReadError, match=r"film is cut off: the table of its frames \(moov\)"):
            FilmReader(given, "film")
        if not isinstance(given, Path):
            given.close()


def test_avi_with_frames_that_were_dropped(tmp_path: Path) -> None:
    starts = [0, 1, 2, 6, 7, 8]
    source = make_clip(tmp_path / "a.avi", codec="mpeg4", frames=6, starts=starts)
    assert survey(source).frames == 6  # of 9 that its head counts
    with FilmReader(source) as reader:
        assert reader.film.frames == 9
        assert [still.start for still in reader.stills()] == starts
    data = bytearray(source.read_bytes())
    for wrong in (0, 0xFFFFFFFF, len(data)):  # left open, and counted with its own head
        struct.pack_into("<I", data, 4, wrong)
        source.write_bytes(data)
        check_bytes(source, "a")


def test_a_recorded_broadcast_of_asf(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.wmv")
    data = bytearray(source.read_bytes())
    at = data.index(bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")) + 16
    struct.pack_into("<Q", data, at, 0)
    source.write_bytes(data[:-200])
    check_bytes(source, "a")
