"""A film's packets gone through once before any work: how many frames there are, and whether it is whole."""

from dataclasses import dataclass
from pathlib import Path

from esrgan_torch.errors import FilmReadError
from esrgan_torch.films.ends import Ends
from esrgan_torch.films.library import told
from esrgan_torch.films.read import opened, video_stream
from esrgan_torch.films.sizes import TAKE, check_bytes


@dataclass(frozen=True)
class Survey:
    """What the packets tell.

    Args:
        frames: how many frames are to be shown, as far as packets tell; some decoders give one more or less.
        seconds: how long the film is.
    """

    frames: int
    seconds: float


def survey(path: Path) -> Survey:
    """Go through all packets of a film, without decoding; it takes as long as reading the file.

    Raises:
        FilmReadError: it is damaged, or ends before it says that it does.
    """
    name = str(path)
    with told(FilmReadError, name):
        check_bytes(path, name)
    with opened(path) as container:
        stream = video_stream(container, name)
        base = stream.time_base
        ends = Ends(container, name)
        frames = samples = 0
        first: float | None = None
        last = 0.0
        for packet in container.demux():
            if packet.size == 0:
                continue
            until = ends.see(packet)
            if packet.stream_index != stream.index:
                continue
            samples += 1
            frames += not packet.is_discard
            at = packet.pts if packet.pts is not None else packet.dts
            if at is not None and base is not None:
                first = min(float(at * base), until if first is None else first)
                last = max(last, until)
        # AVI counts frames that were dropped too, for which there is no packet
        if samples < stream.frames and container.format.name != "avi":
            raise FilmReadError(
                f"{name} is cut off: {samples} of its {stream.frames} frames are there; {TAKE}"
            )
        ends.check()
    if not samples:
        raise FilmReadError(f"{name} is a film without a frame")
    return Survey(frames, last - (first or 0.0))
