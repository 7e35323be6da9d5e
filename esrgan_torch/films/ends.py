"""Whether a film ends where it says that it does: FFmpeg takes what is cut off for the end of most films."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from esrgan_torch.errors import FilmReadError
from esrgan_torch.films.raw import check_raw

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer

_SLACK = 1.0  # seconds by which what a file says of its length may differ from its last frame
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"  # of Matroska and WebM, RFC 9559


class Ends:
    """Sees all packets of a film, of its sound too.

    Args:
        container: as it is opened.
        name: for messages.
    """

    def __init__(self, container: "InputContainer", name: str) -> None:
        self._name = name
        self._announced = container.duration / 1e6 if container.duration else 0.0
        self._begin = (container.start_time or 0) / 1e6
        self._end = 0.0

    def see(self, packet: "Packet[Any]") -> float:
        """The next one; when it ends, in seconds, 0 where it does not say."""
        at = packet.pts if packet.pts is not None else packet.dts
        if at is None or not packet.size:
            return 0.0
        until = float((at + (packet.duration or 0)) * packet.time_base)
        self._end = max(self._end, until)
        return until

    def check(self) -> None:
        """That was the last one.

        Raises:
            FilmReadError: the film says that it is longer.
        """
        if short := self.short():
            raise FilmReadError(f"{self._name} is cut off: {short}; copy or download it again")

    def short(self) -> str:
        """How far what came falls short of the length that the film gives, after the last one; or ""."""
        # Matroska counts its length from 0, others from where they begin
        reached = max(self._end, self._end - self._begin)
        # raw streams and some others do not know their length, and their packets have no times
        if self._end and self._announced - reached > _SLACK:
            return f"it ends after {reached:.1f} s, and says that it has {self._announced:.1f} s"
        return ""


def check_bytes(path: Path) -> None:
    """Look at what a file says of its own size.

    Raises:
        FilmReadError: it is shorter: raw frames, Matroska and WebM.
    """
    with path.open("rb") as file:
        check_raw(file, str(path))
        file.seek(0)
        due = _matroska_bytes(file)
    there = path.stat().st_size
    if due is not None and there < due:
        raise FilmReadError(
            f"{path} is cut off: {there:,} of its {due:,} bytes are there; copy or download it again"
        )


def _matroska_bytes(file: BinaryIO) -> int | None:
    """Where the film ends in a file of Matroska's; None for others, and where it does not say."""
    end = 0
    for name in (_EBML, _SEGMENT):
        file.seek(end)
        if file.read(4) != name:
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
