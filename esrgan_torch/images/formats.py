"""The formats that can be written, what each can hold, and how a result is asked to be coded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from esrgan_torch.errors import ConfigError
from esrgan_torch.images.picture import Frames
from esrgan_torch.images.png import MAX_SIDE as PNG_MAX_SIDE


@dataclass(frozen=True)
class Format:
    """What a format can hold.

    Args:
        name: as users write it.
        suffixes: of file names, lower case.
        max_side: pixels along the longer side.
        sixteen: whether it keeps 16 bits a channel.
        alpha: whether it keeps alpha.
        quality: the default of 1 to 100, None where nothing is lost. From 4:4:4 test pictures: 95 for
            jpg, 90 for webp and 85 for avif stay above 44 dB of the picture that they code.
        lossless: whether the user can choose to lose nothing.
        frames: what it holds of several: an "animation", "pages", or None.
        profile: whether it holds ICC profiles; where not, colours are converted to sRGB.
        channels: which numbers of channels become others.
        density: the least and the most pixels an inch that it can say, None where it says none.
    """

    name: str
    suffixes: tuple[str, ...]
    max_side: int
    sixteen: bool = False
    alpha: bool = False
    quality: int | None = None
    lossless: bool = False
    frames: Literal["animation", "pages"] | None = None
    profile: bool = True
    channels: Mapping[int, int] = field(default_factory=dict[int, int])
    density: tuple[float, float] | None = None

    def holds(self, frames: Frames) -> bool:
        """Whether all these frames can be written; an animation can as pages too, without its durations."""
        return frames.count == 1 or self.frames == "pages" or (self.frames == "animation" and frames.timed)


_A_METRE = (0.1, 2**31 * 0.0254 - 1)  # in an inch, where a format counts pixels a metre in 32 bits
_FORMATS = (
    Format(
        "png",
        (".png", ".apng"),
        PNG_MAX_SIDE,
        sixteen=True,
        alpha=True,
        lossless=True,
        frames="animation",
        density=_A_METRE,
    ),
    Format("jpg", (".jpg", ".jpeg", ".jfif", ".jpe", ".jif"), 65_500, quality=95, density=(1, 65_535)),
    Format(
        "webp",
        (".webp",),
        16_383,
        alpha=True,
        quality=90,
        lossless=True,
        frames="animation",
        channels={1: 3, 2: 4},
    ),
    Format(
        "tiff",
        (".tif", ".tiff"),
        2**31,
        sixteen=True,
        alpha=True,
        lossless=True,
        frames="pages",
        density=(0.1, 2**32 - 1),
    ),
    # Pillow's AVIF is off by up to 2 levels at quality 100, so lossless is not on offer
    Format("avif", (".avif",), 32_768, alpha=True, quality=85, frames="animation", channels={2: 4}),
    # imagecodecs writes pixels alone, and says of 16 bits that they are linear light
    Format("jxl", (".jxl",), 2**30, alpha=True, quality=90, lossless=True, profile=False),
    Format("gif", (".gif",), 65_535, alpha=True, frames="animation", profile=False),
    Format("bmp", (".bmp",), 2**31 - 1, lossless=True, profile=False, density=_A_METRE),
)
_BY_NAME = {form.name: form for form in _FORMATS} | {
    suffix[1:]: form for form in _FORMATS for suffix in form.suffixes
}
WITH_ALPHA = ", ".join(form.name for form in _FORMATS if form.alpha)
WITH_FRAMES = ", ".join(form.name for form in _FORMATS if form.frames)
FORMAT_NAMES = tuple(form.name for form in _FORMATS)


def find_format(suffix: str, name: str | None = None) -> Format:
    """The format that a name (png, jpg, ...) or else a file suffix (.png, ...) asks for.

    Raises:
        ConfigError: unknown name or suffix.
    """
    asked = name if name is not None else suffix.removeprefix(".")
    form = _BY_NAME.get(asked.lower())
    if form is not None:
        return form
    known = ", ".join(FORMAT_NAMES)
    if name is None and not suffix:
        raise ConfigError(f"the file name has no suffix to choose the format by; give a format: {known}")
    raise ConfigError(f"{asked!r} is not a format that can be written; use one of {known}")


@dataclass(frozen=True)
class Coding:
    """How a file is coded: options that its format has, see `EncodeOptions.coding`.

    Args:
        form: the format.
        quality: 1 to 100; 0 where the format has none.
        lossless: whether nothing is to be lost, where that is to be chosen; `quality` says nothing then.
    """

    form: Format
    quality: int
    lossless: bool


@dataclass(frozen=True)
class EncodeOptions:
    """How a result is asked to be coded.

    Args:
        format: one of FORMAT_NAMES; None to go by the suffix of the file's name.
        quality: 1 to 100 for jpg (default 95, always 4:4:4), webp (90), avif (85) and jxl (90).
        lossless: for webp and jxl; png, tiff and bmp lose nothing anyway; jpg, avif and gif cannot.
    """

    format: str | None = None
    quality: int | None = None
    lossless: bool = False

    def coding(self, suffix: str = "") -> Coding:
        """How a file is coded whose name ends in `suffix`, with its dot.

        Raises:
            ConfigError: unknown format or suffix, or an option that the format does not have.
        """
        form = find_format(suffix, self.format)
        if self.quality is not None:
            if form.quality is None:
                loses = "loses nothing and " if form.lossless else ""
                raise ConfigError(f"{form.name} {loses}has no quality; leave quality out")
            if self.lossless:
                raise ConfigError("quality and lossless exclude each other; leave one out")
            if not 1 <= self.quality <= 100:
                raise ConfigError(f"quality must be from 1 to 100, not {self.quality}")
        if self.lossless and not form.lossless:
            others = ", ".join(other.name for other in _FORMATS if other.lossless)
            raise ConfigError(f"{form.name} cannot be written without loss; use one of {others}")
        return Coding(form, self.quality or form.quality or 0, self.lossless)
