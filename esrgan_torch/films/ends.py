"""Whether a film ends where it says that it does: FFmpeg takes what is cut off for the end of most films."""

from typing import TYPE_CHECKING, Any

from esrgan_torch.errors import FilmReadError
from esrgan_torch.films.sizes import TAKE

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer

_SLACK = 1.0  # seconds by which what a file says of its length may differ from its last frame


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
            raise FilmReadError(f"{self._name} is cut off: {short}; {TAKE}")

    def short(self) -> str:
        """How far what came falls short of the length that the film gives, after the last one; or ""."""
        # Matroska counts its length from 0, others from where they begin
        reached = max(self._end, self._end - self._begin)
        # raw streams and some others do not know their length, and their packets have no times
        if self._end and self._announced - reached > _SLACK:
            return f"it ends after {reached:.1f} s, and says that it has {self._announced:.1f} s"
        return ""
