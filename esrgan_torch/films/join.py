"""Parts into one film, with sound, subtitles and chapters of the one that they were made from."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from os import devnull
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esrgan_torch.errors import ConfigError, FilmReadError, FilmWriteError
from esrgan_torch.films.codecs import CONTAINERS
from esrgan_torch.films.library import pyav, told, url
from esrgan_torch.films.parts import Part
from esrgan_torch.films.read import opened, video_stream

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer, OutputContainer

# of a file as a whole, which are about its coding, not about what it shows
_OWN_METADATA = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration", "alpha_mode")
_FAST_START = ("mp4", "mov")  # the index at the front, so that playing begins before all is loaded


@dataclass(frozen=True)
class Carried:
    """What is copied from the source.

    Args:
        streams: the numbers of its streams.
        notes: what cannot be, sentences for people.
    """

    streams: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def carried(source: Path, container: str, suffix: str) -> Carried:
    """What of a film a container holds, found out before any work.

    Args:
        container: FFmpeg's name of it.
        suffix: of the result, for messages.

    Raises:
        ConfigError: it does not hold the sound.
        FilmReadError: the film cannot be read.
    """
    streams: list[int] = []
    notes: list[str] = []
    with opened(source) as film, pyav().open(devnull, "w", format=container) as trial:
        shown = video_stream(film, str(source)).index
        for stream in film.streams:
            if stream.index == shown or stream.type in ("data", "unknown"):
                continue
            if stream.type == "video":
                covers = stream.disposition & pyav().stream.Disposition.attached_pic
                notes.append("its cover picture is left out" if covers else "another film in it is left out")
                continue
            try:
                trial.add_stream_from_template(stream, opaque=True)
            except ValueError as error:
                name = getattr(stream.codec_context, "name", None) or "of an unknown kind"
                if stream.type == "audio":
                    raise ConfigError(
                        f"{suffix} cannot hold the film's sound ({name}); {_instead(stream)}"
                    ) from error
                what = "subtitles" if stream.type == "subtitle" else "attachments"
                notes.append(
                    f"its {what} ({name}) are left out, which {suffix} does not hold; -o NAME.mkv may"
                )
                continue
            streams.append(stream.index)
    # a film may have thousands of streams
    told_once = (
        text if count == 1 else f"{text} ({count} of them)" for text, count in Counter(notes).items()
    )
    return Carried(tuple(streams), tuple(told_once))


def _instead(sound: Any) -> str:
    """What to do where a container does not hold a film's sound."""
    for suffix in (".mkv", ".mov"):
        with pyav().open(devnull, "w", format=CONTAINERS[suffix]) as trial, suppress(ValueError):
            trial.add_stream_from_template(sound, opaque=True)
            return f"give -o NAME{suffix}"
    return "convert it first: ffmpeg -i IN -c copy -c:a flac OUT.mkv"


def join(
    parts: Sequence[tuple[Path, Part]],
    base: Fraction,
    source: Path | None,
    streams: Sequence[int],
    target: Path,
    container: str,
    aspect: Fraction = Fraction(1),
    tag: str = "",
) -> None:
    """Write the parts one behind the other, and what is carried of the source in between.

    Args:
        parts: at least one, with their files; all coded alike.
        base: seconds of a tick of theirs.
        source: the film that they were made from; None: nothing is carried.
        streams: of the source, those to carry.
        target: is written to.
        container: FFmpeg's name.
        aspect: the width of a pixel divided by its height, for containers that say it.
        tag: of the codec in the container; empty: FFmpeg's own.

    Raises:
        FilmReadError: the source changed or vanished meanwhile.
        FilmWriteError: the target cannot be written, or the parts are of two encoders.
    """
    # Matroska's muxer takes off what the sound's encoder put before it; it need not move the film for that
    options = {"movflags": "+faststart"} if container in _FAST_START else {"avoid_negative_ts": "disabled"}
    with ExitStack() as stack:
        stack.enter_context(told(FilmWriteError, f"cannot write {target}"))
        output = stack.enter_context(
            pyav().open(url(target), "w", format=container, container_options=options)
        )
        template: Any = stack.enter_context(pyav().open(url(parts[0][0])))
        made: Any = output.add_stream_from_template(template.streams.video[0], opaque=True)
        made.time_base = base
        made.codec_context.sample_aspect_ratio = aspect
        if tag and container in _FAST_START:
            made.codec_context.codec_tag = tag
        others: Iterator[Packet[Any]] = iter(())
        start = Fraction(0)
        if source is not None:
            film = stack.enter_context(opened(source))
            start = max(Fraction(film.start_time or 0, 1_000_000), start)
            made.metadata.update(_kept(video_stream(film, str(source)).metadata))
            others = _others(film, output, streams, start)
        _write(output, _coded(parts, made, base, round(start / base)), others)


def _write(
    output: "OutputContainer", coded: Iterator["Packet[Any]"], others: Iterator["Packet[Any]"]
) -> None:
    """Packets of both in the order of their times, so that no muxer has to hold many."""
    other = next(others, None)
    for packet in coded:
        while other is not None and _time(other) <= _time(packet):
            output.mux_one(other)
            other = next(others, None)
        output.mux_one(packet)
    while other is not None:
        output.mux_one(other)
        other = next(others, None)


def _coded(
    parts: Sequence[tuple[Path, Part]], stream: Any, base: Fraction, away: int
) -> Iterator["Packet[Any]"]:
    """The frames of all parts. What an encoder says of the order of storage holds within its part alone.

    A packet's time of decoding is that of the frame that is shown `delay` frames earlier: never later than
    its own time, and each greater than the one before.
    """
    delay = max(part.delay for _, part in parts)
    shown: list[int] = []  # the last `delay` times of earlier parts, and those of this one
    header: bytes | None = None
    for path, part in parts:
        with pyav().open(url(path)) as file:
            coded: Any = file.streams.video[0]
            extra = bytes(coded.codec_context.extradata or b"")
            packets: list[Any] = [packet for packet in file.demux(coded) if packet.size]
        header = extra if header is None else header
        if extra != header or len(packets) != len(part.order):
            raise FilmWriteError(
                f"the parts in {path.parent} do not fit together, or are damaged; delete the folder"
            )
        times = sorted(start - away for start in part.order)
        step = max((times[-1] - times[0]) // max(len(times) - 1, 1), 1)
        if not shown:
            shown = [times[0] - (delay - place) * step for place in range(delay)]
        shown += times
        after = dict(pairwise(times))
        for place, (packet, start) in enumerate(zip(packets, part.order, strict=True)):
            packet.time_base = base
            packet.pts, packet.dts = start - away, shown[place]
            packet.duration = after.get(packet.pts, packet.pts + part.length) - packet.pts
            packet.stream = stream
            yield packet
        shown = shown[len(times) :]


def _others(
    film: "InputContainer", output: "OutputContainer", streams: Sequence[int], start: Fraction
) -> Iterator["Packet[Any]"]:
    """Packets of the streams to carry; what is about the whole film is set at once."""
    copies: dict[int, Any] = {}
    for index in streams:
        stream = film.streams[index]
        copy: Any = output.add_stream_from_template(stream, opaque=True)
        copy.metadata.update(_kept(stream.metadata))
        copy.disposition = stream.disposition
        if stream.type != "attachment":
            copies[index] = copy
    output.metadata.update(_kept(film.metadata))
    chapters = film.chapters()
    for chapter in chapters:
        base = chapter["time_base"]
        away = round(start / base) if base else 0
        chapter["start"], chapter["end"] = chapter["start"] - away, chapter["end"] - away
    output.set_chapters(chapters)
    return _copied(film, copies, start)


def _copied(film: "InputContainer", copies: dict[int, Any], start: Fraction) -> Iterator["Packet[Any]"]:
    if not copies:
        return
    given = [film.streams[index] for index in copies]
    with told(FilmReadError, f"{film.name.removeprefix('file:')} is damaged"):
        for packet in film.demux(*given):
            if not packet.size or packet.dts is None:
                continue
            away = round(start / packet.time_base)
            packet.dts -= away
            packet.pts = packet.dts if packet.pts is None else packet.pts - away
            packet.stream = copies[packet.stream_index]
            yield packet


def _kept(metadata: dict[str, str]) -> dict[str, str]:
    return {
        key: text
        for key, text in metadata.items()
        if key.lower() not in (*_OWN_METADATA, "rotate") and not key.startswith("_STATISTICS")
    }


def _time(packet: "Packet[Any]") -> Fraction:
    return (packet.dts or 0) * packet.time_base
