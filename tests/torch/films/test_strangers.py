"""Films whose containers say what cannot be: the documented error, or a film; never anything else."""

import struct
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from esrgan_torch.errors import EsrganError
from tests.torch.films.clips import make_clip
from tests.torch.films.conftest import Enlarge

MOST = 0xFFFFFFFF
Patch = Callable[[bytes], bytes]


def put(box: bytes, offset: int, form: str, *values: float) -> Patch:
    """Numbers so many bytes behind the name of every box of a kind."""

    def patched(data: bytes) -> bytes:
        changed, place = bytearray(data), data.find(box)
        assert place >= 0, box
        while place >= 0:
            struct.pack_into(form, changed, place + len(box) + offset, *values)
            place = data.find(box, place + 1)
        return bytes(changed)

    return patched


def both(*patches: Patch) -> Patch:
    def patched(data: bytes) -> bytes:
        for each in patches:
            data = each(data)
        return data

    return patched


MP4: dict[str, Patch] = {
    "no ticks a second": put(b"mdhd", 12, ">I", 0),
    "most ticks a second": put(b"mdhd", 12, ">I", MOST),
    "one tick a second": put(b"mdhd", 12, ">I", 1),
    "most ticks a second in the film": put(b"mvhd", 12, ">I", MOST),
    "no ticks a second in the film": put(b"mvhd", 12, ">I", 0),
    "the longest": both(
        put(b"mdhd", 16, ">I", MOST), put(b"mvhd", 16, ">I", MOST), put(b"tkhd", 20, ">I", MOST)
    ),
    "of no length": both(put(b"mdhd", 16, ">I", 0), put(b"mvhd", 16, ">I", 0), put(b"tkhd", 20, ">I", 0)),
    "shown without end": put(b"stts", 12, ">I", MOST),
    "shown for less than nothing": put(b"stts", 12, ">i", -5),
    "shown for the most": put(b"stts", 12, ">I", 0x7FFFFFFF),
    "shown for no time": put(b"stts", 12, ">I", 0),
    "most frames": put(b"stts", 8, ">I", MOST),
    "most sizes": put(b"stsz", 8, ">I", MOST),
    "frames of the largest size": put(b"stsz", 4, ">I", 0x7FFFFFFF),
    "frames of one byte": put(b"stsz", 4, ">I", 1),
    "begins before the start": put(b"elst", 12, ">i", -1),
    "begins in the far past": put(b"elst", 12, ">i", -(1 << 31)),
    "begins in the far future": put(b"elst", 12, ">i", (1 << 31) - 1),
    "an edit without length": put(b"elst", 8, ">I", 0),
    "an edit without end": put(b"elst", 8, ">I", MOST),
    "an edit of no speed": put(b"elst", 16, ">I", 0),
    "most edits": put(b"elst", 4, ">I", MOST),
    "frames beyond the end": put(b"stco", 8, ">I", MOST),
    "most places": put(b"stco", 4, ">I", MOST),
    "a track of the largest size": put(b"tkhd", 76, ">II", MOST, MOST),
    "frames of 65535": put(b"mp4v", 24, ">HH", 65535, 65535),
    "frames of none": put(b"mp4v", 24, ">HH", 0, 0),
    "turned into nothing": put(b"tkhd", 40, ">9i", *[0] * 9),
    "turned by the most": put(b"tkhd", 40, ">9i", *[-(1 << 31)] * 9),
    "pixels of no width": put(b"pasp", 0, ">II", 0, 1),
    "pixels of no height": put(b"pasp", 0, ">II", 1, 0),
    "pixels of the largest width": put(b"pasp", 0, ">II", MOST, 1),
    "pixels of the largest height": put(b"pasp", 0, ">II", 1, MOST),
    "pixels of odd sides": put(b"pasp", 0, ">II", 0x7FFFFFFE, 0x7FFFFFFF),
    "colours of no standard": put(b"colr", 4, ">HHH", 65535, 65535, 65535),
    "colours of another matrix": put(b"colr", 4, ">HHH", 1, 1, 8),
}
MATROSKA: dict[str, Patch] = {
    "ticks of no length": put(b"\x2a\xd7\xb1\x83", 0, ">3s", b"\0\0\0"),
    "ticks of one nanosecond": put(b"\x2a\xd7\xb1\x83", 0, ">3s", b"\0\0\1"),
    "the longest ticks": put(b"\x2a\xd7\xb1\x83", 0, ">3s", b"\xff\xff\xff"),
    "no number for a length": put(b"\x44\x89\x88", 0, ">d", float("nan")),
    "without end": put(b"\x44\x89\x88", 0, ">d", float("inf")),
    "of less than no length": put(b"\x44\x89\x88", 0, ">d", -1e300),
    "frames of 255": put(b"\xb0\x81", 0, ">B", 255),
    "frames of none": both(put(b"\xb0\x81", 0, ">B", 0), put(b"\xba\x81", 0, ">B", 0)),
}
RAW = {
    "no rate": b"YUV4MPEG2 W8 H8 F0:0 Ip A1:1 C420\n",
    "the highest rate": b"YUV4MPEG2 W8 H8 F2147483647:1 Ip A1:1 C420\n",
    "the lowest rate": b"YUV4MPEG2 W8 H8 F1:2147483647 Ip A1:1 C420\n",
    "less than no rate": b"YUV4MPEG2 W8 H8 F-25:1 Ip A1:1 C420\n",
    "no pixels": b"YUV4MPEG2 W0 H0 F25:1 Ip A1:1 C420\n",
    "the most pixels": b"YUV4MPEG2 W2147483647 H2147483647 F25:1 Ip A1:1 C420\n",
    "many digits": b"YUV4MPEG2 W" + b"9" * 5000 + b" H8 F25:1 Ip A1:1 C420\n",
    "odd pixels": b"YUV4MPEG2 W8 H8 F25:1 Ip A0:0 C420\n",
    "pixels of thousands of digits": b"YUV4MPEG2 W8 H8 F25:1 Ip A" + b"9" * 60 + b":1 C420\n",
    "pixels of the largest width": b"YUV4MPEG2 W8 H8 F25:1 Ip A2147483647:1 C420\n",
}


def survives(enlarge: Enlarge, source: Path) -> None:
    said = ""
    try:
        enlarge(source, source.with_name("result.mkv"))
    except EsrganError as error:
        said = str(error)
    assert not said or (source.name in said and len(said) < 500)
    left = {path.name for path in source.parent.iterdir()} - {source.name, "result.mkv"}
    assert not [name for name in left if not name.endswith(".parts")]


@pytest.mark.parametrize("patch", MP4.values(), ids=MP4)
def test_mp4(patch: Patch, tmp_path: Path, enlarge: Enlarge) -> None:
    source = make_clip(tmp_path / "a.mp4", codec="mpeg4", frames=5, colour=(1, 1, 1, 1))
    source.write_bytes(patch(source.read_bytes()))
    survives(enlarge, source)


@pytest.mark.parametrize("patch", MATROSKA.values(), ids=MATROSKA)
def test_matroska(patch: Patch, tmp_path: Path, enlarge: Enlarge) -> None:
    source = make_clip(tmp_path / "a.mkv", frames=5)
    source.write_bytes(patch(source.read_bytes()))
    survives(enlarge, source)


@pytest.mark.parametrize("head", RAW.values(), ids=RAW)
def test_raw(head: bytes, tmp_path: Path, enlarge: Enlarge) -> None:
    source = tmp_path / "a.y4m"
    source.write_bytes(head + (b"FRAME\n" + bytes(range(96))) * 3)
    survives(enlarge, source)


def test_hundreds_of_streams(tmp_path: Path, enlarge: Enlarge) -> None:
    source = tmp_path / "a.mkv"
    with av.open(str(source), "w") as film:
        streams = [film.add_stream("rawvideo", 25, width=2, height=2, pix_fmt="yuv420p") for _ in range(400)]
        for stream in streams:
            film.mux(stream.encode(av.VideoFrame(2, 2, "yuv420p")))
            film.mux(stream.encode())
    found = enlarge(source, tmp_path / "b.mkv")
    assert found.frames == 1
    assert found.notes == ("another film in it is left out (399 of them)",)
