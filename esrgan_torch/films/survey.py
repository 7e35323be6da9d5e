"""A film's packets gone through once before any work: how many frames there are, and whether it is whole."""

from dataclasses import dataclass
from pathlib import Path

from esrgan_torch.errors import FilmReadError
from esrgan_torch.films.read import opened, video_stream

_SLACK = 1.0  # seconds by which what a file says of its length may differ from its last frame


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
    with opened(path) as container:
        stream = video_stream(container, name)
        base = stream.time_base
        frames = samples = 0
        first: float | None = None
        last = end = 0.0
        for packet in container.demux():
            if packet.size == 0:
                continue
            at = packet.pts if packet.pts is not None else packet.dts
            until = 0.0 if at is None else float((at + (packet.duration or 0)) * packet.time_base)
            end = max(end, until)
            if packet.stream_index != stream.index:
                continue
            samples += 1
            frames += not packet.is_discard
            if at is not None and base is not None:
                first = min(float(at * base), until if first is None else first)
                last = max(last, until)
        announced = container.duration / 1e6 if container.duration else 0.0
        begin = (container.start_time or 0) / 1e6
        if samples < stream.frames:
            raise FilmReadError(
                f"{name} is cut off: {samples} of its {stream.frames} frames are there; copy or download it "
                "again"
            )
        # raw streams and some others do not know their length, and their packets have no times
        if end and announced - (end - begin) > _SLACK:
            raise FilmReadError(
                f"{name} is cut off: it ends after {end - begin:.1f} s, and says that it has "
                f"{announced:.1f} s; copy or download it again"
            )
    if not samples:
        raise FilmReadError(f"{name} is a film without a frame")
    return Survey(frames, last - (first or 0.0))
