"""What films are written with: a record for each codec, and the containers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from esrgan_torch.errors import ConfigError
from esrgan_torch.films.encode import Coding

RAW = ".y4m"
"""The suffix of raw frames, YUV4MPEG2: pictures alone, for another program."""

CONTAINERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    RAW: "yuv4mpegpipe",
}
"""FFmpeg's names of the containers that are written, by suffix."""


@dataclass(frozen=True)
class Codec:
    """A codec and its encoder.

    Args:
        name: the codec's usual name.
        encoder: FFmpeg's name of it.
        crf: the default of --crf (0 is best); None: the codec has no such setting.
        worst: the largest value of --crf.
        preset: the encoder's option that --preset sets; empty: it has none.
        presets: what --preset can be; the slowest first or last, as the encoder counts.
        forms: its pixel formats, by whether a colour has more than 8 bits and by its chroma.
        rgb: whether it stores RGB, which loses nothing.
        options: that are always set.
        tag: of the codec in MP4 and QuickTime, where FFmpeg's own is not played everywhere.
        containers: suffixes of what can hold it.
        aspect: whether its own bits say how wide pixels are.
    """

    name: str
    encoder: str
    crf: int | None
    worst: int
    preset: str
    presets: tuple[str, ...]
    forms: Mapping[tuple[bool, str], str]
    rgb: bool = False
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    tag: str = ""
    containers: tuple[str, ...] = (".mp4", ".m4v", ".mov", ".mkv")
    aspect: bool = False


_X26_PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
)
_YUV = {
    (deep, chroma): f"yuv{chroma}p{'10le' if deep else ''}"
    for deep in (False, True)
    for chroma in ("420", "422", "444")
}
_YUV420 = {(deep, chroma): _YUV[deep, "420"] for deep, chroma in _YUV}

CODECS = {
    codec.name: codec
    for codec in (
        Codec("h264", "libx264", 17, 51, "preset", _X26_PRESETS, _YUV, aspect=True),
        Codec(
            "hevc",
            "libx265",
            19,
            51,
            "preset",
            _X26_PRESETS,
            _YUV,
            options={"x265-params": "log-level=error"},
            tag="hvc1",
            aspect=True,
        ),
        Codec(
            "av1",
            "libsvtav1",
            25,
            63,
            "preset",
            tuple(str(number) for number in range(14)),
            _YUV420,
            containers=(".mp4", ".m4v", ".mkv", ".webm"),
        ),
        Codec(
            "vp9",
            "libvpx-vp9",
            24,
            63,
            "cpu-used",
            tuple(str(number) for number in range(9)),
            {(False, chroma): _YUV[False, chroma] for chroma in ("420", "422", "444")},
            options={"b": "0", "row-mt": "1"},
            containers=(".mp4", ".mkv", ".webm"),
        ),
        Codec(
            "ffv1",
            "ffv1",
            None,
            0,
            "",
            (),
            {(deep, chroma): "gbrp16le" if deep else "bgr0" for deep, chroma in _YUV},
            rgb=True,
            options={"level": "3", "slicecrc": "1"},
            containers=(".mkv",),
        ),
    )
}
"""The codecs, by name."""


_RAW_CODEC = Codec("y4m", "wrapped_avframe", None, 0, "", (), _YUV, containers=(RAW,))


@dataclass(frozen=True)
class FilmCoding:
    """How a film is written, checked.

    Args:
        codec: which.
        coding: of its frames.
        container: FFmpeg's name of that of the whole.
    """

    codec: Codec
    coding: Coding
    container: str

    @property
    def says_aspect(self) -> bool:
        """Whether the result says how wide its pixels are; PyAV cannot make Matroska and WebM say it."""
        return self.codec.aspect or self.container in ("mp4", "mov")

    def record(self) -> dict[str, Any]:
        """What decides the bytes of the frames, for a journal."""
        return {
            "encoder": self.coding.encoder,
            "form": self.coding.form,
            "options": dict(self.coding.options),
        }


@dataclass(frozen=True)
class FilmOptions:
    """What a user asks of the encoder.

    Args:
        codec: a name of `CODECS`; None: vp9 in .webm (av1 above 8 bits), else h264 (hevc above 8 bits).
        crf: the quality, 0 the best; None: the codec's default.
        preset: the encoder's; None: its default.
    """

    codec: str | None = None
    crf: int | None = None
    preset: str | None = None

    def coding(self, suffix: str, *, deep: bool = False, chroma: str = "420") -> FilmCoding:
        """How a film of this kind is written into a file with this suffix.

        Args:
            suffix: in lower case, with its dot.
            deep: whether a colour has more than 8 bits.
            chroma: "420", "422" or "444".

        Raises:
            ConfigError: the container is unknown or does not hold the codec, or an option is none of its.
        """
        if suffix not in CONTAINERS:
            given = suffix or "a name without a suffix"
            raise ConfigError(f"a film can be written as {', '.join(CONTAINERS)}, not {given}")
        if suffix == RAW:
            return self._raw(deep, chroma)
        name = self.codec or _DEFAULTS[suffix == ".webm", deep]
        codec = CODECS.get(name)
        if codec is None:
            raise ConfigError(f"--codec is {', '.join(CODECS)}, not {name!r}")
        if suffix not in codec.containers:
            raise ConfigError(f"{name} cannot be written into {suffix}; give -o NAME{codec.containers[-1]}")
        form = codec.forms.get((deep, chroma))
        if form is None:
            raise ConfigError(f"{name} can write 8 bits only, and the film has more; give another --codec")
        options = dict(codec.options)
        if codec.crf is not None:
            options["crf"] = str(codec.crf if self.crf is None else self.crf)
        if self.crf is not None and codec.crf is None:
            raise ConfigError(f"{name} is lossless, and has no --crf")
        if self.crf is not None and not 0 <= self.crf <= codec.worst:
            raise ConfigError(f"--crf of {name} lies in 0 to {codec.worst}, not {self.crf}")
        if self.preset is not None:
            if self.preset not in codec.presets:
                known = ", ".join(codec.presets) or "none"
                raise ConfigError(f"--preset of {name} is {known}, not {self.preset!r}")
            options[codec.preset] = self.preset
        return FilmCoding(codec, Coding(codec.encoder, form, options), CONTAINERS[suffix])

    def _raw(self, deep: bool, chroma: str) -> FilmCoding:
        if (self.codec, self.crf, self.preset) != (None, None, None):
            raise ConfigError("y4m contains raw frames, and has no --codec, --crf or --preset")
        more = {"strict": "-1"} if deep else {}  # more than 8 bits are not in the format's first description
        coding = Coding(_RAW_CODEC.encoder, _RAW_CODEC.forms[deep, chroma], {}, CONTAINERS[RAW], more)
        return FilmCoding(_RAW_CODEC, coding, CONTAINERS[RAW])


_DEFAULTS = {
    (False, False): "h264",
    (False, True): "hevc",
    (True, False): "vp9",
    (True, True): "av1",
}
"""By whether it is .webm, and whether a colour has more than 8 bits."""
