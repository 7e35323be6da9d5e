"""From a `Picture` to the bytes of a file, within what each format can hold."""

import warnings
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Literal

import numpy as np
from PIL import ImageCms

from esrgan_torch.errors import ConfigError, EsrganError, ImageWriteError
from esrgan_torch.images.animate import encode_by_pillow, encode_gif
from esrgan_torch.images.apng import encode_apng
from esrgan_torch.images.colour import converted_to_srgb, fitting_profile, is_hdr
from esrgan_torch.images.encode_pillow import encode_one_by_pillow, pillow_options
from esrgan_torch.images.exif import exif_as_written, xmp_as_written
from esrgan_torch.images.jxl import encode_jxl
from esrgan_torch.images.picture import Frame, Frames, Picture, Pixels
from esrgan_torch.images.png import MAX_SIDE as PNG_MAX_SIDE
from esrgan_torch.images.png import encode_png
from esrgan_torch.images.tiff import encode_tiff


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
_WITH_ALPHA = ", ".join(form.name for form in _FORMATS if form.alpha)
FORMAT_NAMES = tuple(form.name for form in _FORMATS)


def choose_format(suffix: str, name: str | None, quality: int | None, lossless: bool) -> Format:
    """The format that a name (png, jpg, ...) or else a file suffix (.png, ...) asks for, options checked.

    Raises:
        ConfigError: unknown name or suffix, or an option that the format does not have.
    """
    asked = name if name is not None else suffix.removeprefix(".")
    form = _BY_NAME.get(asked.lower())
    if form is None:
        known = ", ".join(FORMAT_NAMES)
        if name is None and not suffix:
            raise ConfigError(f"the file name has no suffix to choose the format by; give a format: {known}")
        raise ConfigError(f"{asked!r} is not a format that can be written; use one of {known}")
    if quality is not None:
        if form.quality is None:
            loses = "loses nothing and " if form.lossless else ""
            raise ConfigError(f"{form.name} {loses}has no quality; leave quality out")
        if lossless:
            raise ConfigError("quality and lossless exclude each other; leave one out")
        if not 1 <= quality <= 100:
            raise ConfigError(f"quality is 1 to 100, not {quality}")
    if lossless and not form.lossless:
        others = ", ".join(other.name for other in _FORMATS if other.lossless)
        raise ConfigError(f"{form.name} cannot be written without loss; use one of {others}")
    return form


def encode(picture: Picture, form: Format, quality: int | None, lossless: bool) -> bytes:
    """The whole file, with options that `choose_format` has checked.

    Raises:
        ConfigError: the picture has alpha and the format has none.
        ImageWriteError: the picture is too large for the format, or its encoder fails.
        MissingCodecError: the encoder is not installed.
    """
    picture = _fitted(picture, form)
    with _encoder(form):
        if form.name == "png":
            return encode_png(picture)
        if form.name == "tiff":
            return encode_tiff([picture])[0]
        if form.name == "gif":
            return encode_gif([Frame(picture)], 1)[0]
        if form.name == "jxl":
            return encode_jxl(picture.pixels, quality or form.quality or 0, lossless)
        return encode_one_by_pillow(
            picture, form.name, form.quality if quality is None else quality, lossless
        )


def encode_frames(
    frames: Iterable[Frame], plays: int, form: Format, quality: int | None, lossless: bool
) -> tuple[bytes, int]:
    """The whole file and the number of its frames.

    Args:
        plays: how many times an animation is played, 0 for ever.
        Others, and errors, as in `encode`.

    Raises:
        FramesError: going through the frames raised something.
        ConfigError: also where there are no frames, or several and the format holds one, or where those of an
            animation differ in size, depth or number of channels.
    """
    all_frames = _taken(frames)
    first = next(all_frames, None)
    if first is None:
        raise ConfigError("there are no frames to write")
    second = next(all_frames, None)
    if second is None:
        return encode(first.picture, form, quality, lossless), 1
    if form.frames is None:
        names = ", ".join(other.name for other in _FORMATS if other.frames)
        raise ConfigError(f"{form.name} holds one picture, not several frames; use one of {names}")

    def fitted() -> Iterator[Frame]:
        for frame in chain((first, second), all_frames):
            yield replace(frame, picture=_fitted(frame.picture, form))

    with _encoder(form):
        if form.name == "png":
            return encode_apng(fitted(), plays)
        if form.name == "tiff":
            return encode_tiff(frame.picture for frame in fitted())
        if form.name == "gif":
            return encode_gif(fitted(), plays)
        with warnings.catch_warnings():  # what is to be said of the first frame, `fitted` says
            warnings.simplefilter("ignore")
            plain = _fitted(first.picture, form)
        options = pillow_options(plain, form.name, form.quality if quality is None else quality, lossless)
        return encode_by_pillow(fitted(), plays, form.name.upper(), options)


class FramesError(Exception):
    """What the frames that are to be written raised; no fault of an encoder. `__cause__` is the error."""


def _taken(frames: Iterable[Frame]) -> Iterator[Frame]:
    try:
        yield from frames
    except Exception as error:
        raise FramesError from error


@contextmanager
def _encoder(form: Format) -> Generator[None]:
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, EsrganError):
            raise
        raise ImageWriteError(f"the {form.name} encoder failed: {error}") from error


def _fitted(picture: Picture, form: Format) -> Picture:
    """The picture as the format can hold it; errors as in `encode`."""
    if picture.has_alpha and not form.alpha:
        raise ConfigError(
            f"the picture has transparency, which {form.name} cannot keep; use {_WITH_ALPHA}, "
            'or remove it with alpha="drop"'
        )
    if max(picture.height, picture.width) > form.max_side:
        raise ImageWriteError(
            f"{picture.width} x {picture.height} pixels is too large for {form.name}, whose sides end at "
            f"{form.max_side}; use png or tiff"
        )
    if picture.bits == 16 and not form.sixteen:
        picture = picture.with_pixels(to_8_bits(picture.pixels))
    if form.profile:
        channels = form.channels.get(picture.channels, picture.channels)
        profile = fitting_profile(picture.icc_profile, channels)
        if profile is None and picture.icc_profile is not None:
            warnings.warn(f"its ICC profile does not fit {form.name}; it is left out", stacklevel=2)
    else:
        profile, picture = None, _in_srgb(picture, form)
    if is_hdr(picture.icc_profile) and form.name != "png":
        warnings.warn(
            f"its colours are HDR, which {form.name} says in its ICC profile alone; png keeps cICP",
            stacklevel=2,
        )
    return replace(
        picture,
        icc_profile=profile,
        exif=exif_as_written(picture.exif, picture.height, picture.width),
        xmp=xmp_as_written(picture.xmp, picture.height, picture.width),
        density=_held_density(picture.density, form),
    )


def _held_density(density: tuple[float, float] | None, form: Format) -> tuple[float, float] | None:
    if density is None or form.density is None:
        return None
    least, most = form.density
    if all(least <= value <= most for value in density):
        return density
    across, down = density
    warnings.warn(
        f"its density of {across:,} x {down:,} pixels an inch is none that {form.name} can say; "
        "it is left out",
        stacklevel=2,
    )
    return None


def _in_srgb(picture: Picture, form: Format) -> Picture:
    try:
        return converted_to_srgb(picture)
    except (ImageCms.PyCMSError, OSError) as error:
        warnings.warn(
            f"its ICC profile is damaged ({error}) and {form.name} holds none; it is left out", stacklevel=2
        )
        return picture


def to_8_bits(pixels: Pixels) -> Pixels:
    """uint16 pixels rounded to the nearest of uint8; uint8 pixels as they are."""
    if pixels.dtype == np.uint8:
        return pixels
    # 65535 = 255 * 257, and 257 is odd: no ties
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
