"""Small films made from nothing."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

_EXACT = 4 | 0x2000 | 0x4000 | 0x40000  # of swscale: flat colours stay flat


@dataclass(frozen=True)
class Clip:
    """What a film shall be.

    Args:
        frames: how many.
        height, width: of its frames.
        codec, form, options, container: of FFmpeg; options of the codec, and of the container.
        base: seconds of a tick.
        starts: of the frames, in ticks; None: one after the other.
        sound: the codec of a sine that lasts as long; None: none.
        subtitles: the codec of a line of text; None: none.
        colour: matrix, primaries, transfer, range.
        pixels: frames to take instead of noise, RGB.
    """

    frames: int = 6
    height: int = 16
    width: int = 24
    codec: str = "ffv1"
    form: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict[str, str])
    container: dict[str, str] = field(default_factory=dict[str, str])
    base: Fraction = Fraction(1, 25)
    starts: Sequence[int] | None = None
    sound: str | None = None
    subtitles: str | None = None
    aspect: Fraction = Fraction(1)
    colour: tuple[int, int, int, int] = (2, 2, 2, 0)
    pixels: Sequence[NDArray[Any]] | None = None

    def times(self) -> list[int]:
        """When each frame is shown, in ticks."""
        return list(self.starts) if self.starts is not None else list(range(self.frames))


def noise(count: int, height: int, width: int) -> list[NDArray[np.uint8]]:
    """Patches that move and change: pictures that differ, and can be coded."""
    random = np.random.default_rng(count)
    small = random.integers(0, 256, (count, -(-height // 4), -(-width // 4), 3), np.uint8)
    return [each.repeat(4, 0).repeat(4, 1)[:height, :width] for each in small]


def make_clip(path: Path, clip: Clip | None = None, **more: Any) -> Path:
    """Write a film."""
    clip = clip or Clip(**more)
    pixels = clip.pixels if clip.pixels is not None else noise(clip.frames, clip.height, clip.width)
    times = clip.times()
    with av.open(str(path), "w", container_options=clip.container) as container:
        stream: Any = container.add_stream(clip.codec, rate=1 / clip.base, options=clip.options)
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, clip.form
        stream.codec_context.time_base = stream.time_base = clip.base
        stream.codec_context.sample_aspect_ratio = clip.aspect
        matrix, primaries, transfer, span = clip.colour
        stream.codec_context.colorspace, stream.codec_context.color_primaries = matrix, primaries
        stream.codec_context.color_trc, stream.codec_context.color_range = transfer, span
        sound: Any = container.add_stream(clip.sound, rate=48000, layout="mono") if clip.sound else None
        for number, start in enumerate(times):
            frame = av.VideoFrame.from_ndarray(pixels[number], format="rgb24")
            frame.colorspace = matrix
            frame = frame.reformat(format=clip.form, interpolation=_EXACT, dst_color_range=span or 1)
            frame.pts, frame.time_base = start, clip.base
            frame.colorspace, frame.color_range = matrix, span
            frame.color_primaries, frame.color_trc = primaries, transfer
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            end = float((times[-1] + 1) * clip.base)
            _sing(container, sound, round(end * 48000))
    return path


def _sing(container: Any, stream: Any, samples: int) -> None:
    wave = (np.sin(np.arange(samples) * 2 * np.pi * 440 / 48000) * 8000).astype(np.int16)
    at = 0
    while at < samples:
        frame = av.AudioFrame.from_ndarray(wave[None, at : at + 1024], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, at, Fraction(1, 48000)
        container.mux(stream.encode(frame))
        at += 1024
    container.mux(stream.encode(None))


def frames_of(path: Path) -> list[Any]:
    """The decoded frames."""
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def shown(path: Path) -> list[Fraction]:
    """When each frame is shown, in seconds."""
    return [frame.pts * frame.time_base for frame in frames_of(path)]


def turned(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """An MP4 file whose first track shall be shown as the matrix a b c d, of 1, 0 and -1, says."""
    data = path.read_bytes()
    matrix = data.index(b"tkhd") + 4 + 40  # behind version and flags, times, number, duration, layers
    numbers = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data[:matrix] + struct.pack(">9i", *numbers) + data[matrix + 36 :])
    return path
