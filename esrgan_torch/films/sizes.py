"""What a film's file says of its own size, by container: a shorter file is cut off."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

from esrgan_torch.errors import FilmReadError
from esrgan_torch.films.raw import check_raw

AGAIN = "copy or download it again"
TAKE = f"{AGAIN}, or take what is there of it: ffmpeg -fflags +genpts -i IN -c copy OUT.mkv"
"""What to do with a film that is cut off, and with one that can be played all the same."""

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"  # of Matroska and WebM, RFC 9559
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")  # ASF specification, section 10.1: the header
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_BOXES = frozenset(  # at the top of MP4 and QuickTime files, ISO/IEC 14496-12
    b"ftyp styp moov moof mfra mdat free skip wide junk pnot PICT uuid meta sidx ssix prft emsg udta".split()
)
_RIFF_SLACK = 8  # some writers count the eight bytes of the head too
_OPEN = (0, 0xFFFFFFFF)  # sizes of RIFF that were to be written in the end


def check_bytes(source: Path | BinaryIO, name: str) -> None:
    """Look at what a film says of its own size: raw frames, Matroska and WebM, MP4 and QuickTime, AVI, ASF.

    Args:
        source: a path, or a file in which one can go back, from its present place on.
        name: for messages.

    Raises:
        FilmReadError: it is shorter, or lacks the table of its frames.
        OSError: it cannot be read.
    """
    with source.open("rb") if isinstance(source, Path) else nullcontext(source) as file:
        start = file.tell()
        check_raw(file, name)
        there = file.seek(0, 2) - start
        for due in _DUE:
            file.seek(start)
            end = due(file, name)
            if end is not None and there < end - start:
                raise FilmReadError(
                    f"{name} is cut off: {there:,} of its {end - start:,} bytes are there; {TAKE}"
                )


def _matroska(file: BinaryIO, _: str) -> int | None:
    """Where the film ends; None for another container, and where the file does not say."""
    end = file.tell()
    for kind in (_EBML, _SEGMENT):
        file.seek(end)
        if file.read(4) != kind:
            return None
        size = _number(file)
        if size is None:
            return None
        end = file.tell() + size
    return end


def _number(file: BinaryIO) -> int | None:
    """A length as EBML stores it, RFC 8794 section 4; None where it is open or none."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    rest = file.read(length - 1)
    value = int.from_bytes(first + rest, "big") & ((1 << 7 * length) - 1)
    return None if len(rest) < length - 1 or value == (1 << 7 * length) - 1 else value


def _mp4(file: BinaryIO, name: str) -> int | None:
    """The same. What comes behind the boxes that are known is none of the film."""
    end = file.tell()
    seen: set[bytes] = set()
    while head := file.read(16):
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if kind not in _BOXES:
            return end if seen else None
        seen.add(kind)
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:  # 0: up to the end of the file
            break
        end += size
        file.seek(end)
    if b"mdat" in seen and b"moov" not in seen:
        raise FilmReadError(
            f"{name} is cut off: the table of its frames (moov), which is written last, is not there; {AGAIN}"
        )
    return end if seen else None


def _avi(file: BinaryIO, _: str) -> int | None:
    """The same; a long film has several RIFF chunks."""
    end, found = file.tell(), False
    while True:
        file.seek(end)
        head = file.read(12)
        size = int.from_bytes(head[4:8], "little")
        if head[:4] != b"RIFF" or head[8:] not in (b"AVI ", b"AVIX") or size in _OPEN:
            return end - _RIFF_SLACK if found else None
        found = True
        end += 8 + size


def _asf(file: BinaryIO, _: str) -> int | None:
    """The same. A broadcast that was recorded says a size of 0."""
    start = file.tell()
    head = file.read(24)
    if head[:16] != _ASF:
        return None
    data = start + int.from_bytes(head[16:], "little")
    file.seek(min(data, 1 << 40))
    head = file.read(24)
    if head[:16] != _ASF_DATA:
        return None
    return data + int.from_bytes(head[16:], "little")


_DUE: tuple[Callable[[BinaryIO, str], int | None], ...] = (_matroska, _mp4, _avi, _asf)
