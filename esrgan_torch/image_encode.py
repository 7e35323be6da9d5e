"""From a `Picture` to the bytes of a file, within what each format can hold."""

import io
import warnings
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal

import numpy as np
from PIL import Image

from esrgan_torch.errors import ConfigError, EsrganError, ImageWriteError
from esrgan_torch.image_animate import encode_by_pillow, encode_gif
from esrgan_torch.image_apng import encode_apng
from esrgan_torch.image_metadata import fitting_profile, with_jpeg_prefix
from esrgan_torch.image_png import MAX_SIDE as PNG_MAX_SIDE
from esrgan_torch.image_png import encode_png
from esrgan_torch.image_tiff import encode_tiff
from esrgan_torch.picture import Frame, Frames, Picture, Pixels

_JPEG_MAX_EXIF = 65_500  # a JPEG segment has 65533 bytes, the marker included


@dataclass(frozen=True)
class Format:
    """What a format can hold.

    Args:
        name: as users write it.
        suffixes: of file names, lower case.
        sixteen: whether it keeps 16 bits a channel.
        alpha: whether it keeps alpha.
        quality: the default of 1 to 100, None where nothing is lost. From 4:4:4 test pictures: 95 for
            jpg, 90 for webp and 85 for avif stay above 44 dB of the picture that they code.
        lossless: whether the user can choose to lose nothing.
        max_side: pixels along the longer side.
        frames: what it holds of several: an "animation", "pages", or None.
    """

    name: str
    suffixes: tuple[str, ...]
    sixteen: bool
    alpha: bool
    quality: int | None
    lossless: bool
    max_side: int
    frames: Literal["animation", "pages"] | None = None

    def holds(self, frames: Frames) -> bool:
        """Whether all these frames can be written; an animation can as pages too, without its durations."""
        return frames.count == 1 or self.frames == "pages" or (self.frames == "animation" and frames.timed)


_FORMATS = (
    Format("png", (".png", ".apng"), True, True, None, True, PNG_MAX_SIDE, "animation"),
    Format("jpg", (".jpg", ".jpeg", ".jfif", ".jpe", ".jif"), False, False, 95, False, 65_500),
    Format("webp", (".webp",), False, True, 90, True, 16_383, "animation"),
    Format("tiff", (".tif", ".tiff"), True, True, None, True, 2**31, "pages"),
    # Pillow's AVIF is off by up to 2 levels at quality 100, so lossless is not on offer
    Format("avif", (".avif",), False, True, 85, False, 32_768, "animation"),
    Format("gif", (".gif",), False, True, None, False, 65_535, "animation"),
    Format("bmp", (".bmp",), False, False, None, True, 2**31 - 1),
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
        return _encode_by_pillow(picture, form, quality, lossless)


def encode_frames(
    frames: Iterable[Frame], plays: int, form: Format, quality: int | None, lossless: bool
) -> tuple[bytes, int]:
    """The whole file and the number of its frames.

    Args:
        plays: how many times an animation is played, 0 for ever.
        Others, and errors, as in `encode`.

    Raises:
        ConfigError: also where there are no frames, or several and the format holds one, or where those of an
            animation differ in size, depth or number of channels.
    """
    all_frames = iter(frames)
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
        options = _pillow_options(first.picture, form, quality, lossless)
        return encode_by_pillow(fitted(), plays, form.name.upper(), options)


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
    return replace(picture, icc_profile=fitting_profile(picture.icc_profile, picture.channels))


def to_8_bits(pixels: Pixels) -> Pixels:
    """uint16 pixels rounded to the nearest of uint8; uint8 pixels as they are."""
    if pixels.dtype == np.uint8:
        return pixels
    # 65535 = 255 * 257, and 257 is odd: no ties
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _encode_by_pillow(picture: Picture, form: Format, quality: int | None, lossless: bool) -> bytes:
    pixels = np.ascontiguousarray(picture.pixels[:, :, 0] if picture.channels == 1 else picture.pixels)
    image = Image.fromarray(pixels)
    # webp has no gray, neither has gray with alpha
    if picture.channels == 2 or (picture.channels == 1 and form.name == "webp"):
        image = image.convert("RGBA" if picture.channels == 2 else "RGB")
    stream = io.BytesIO()
    options = _pillow_options(picture, form, quality, lossless)
    image.save(stream, {"jpg": "JPEG"}.get(form.name, form.name.upper()), **options)
    return stream.getvalue()


def _pillow_options(picture: Picture, form: Format, quality: int | None, lossless: bool) -> dict[str, Any]:
    options: dict[str, Any] = {}
    channels = 3 if form.name == "webp" else {2: 4}.get(picture.channels, picture.channels)
    if form.name != "bmp":
        profile = fitting_profile(picture.icc_profile, channels)
        options = {"icc_profile": profile, "exif": _exif_for(picture, form)}
    quality = quality if quality is not None else form.quality
    if quality is not None and not lossless:
        options["quality"] = quality
    if form.name == "jpg":
        options["subsampling"] = 0  # 4:4:4: a chroma plane of half the size would undo the upscaling
    elif form.name == "avif" and picture.channels > 1:
        options["subsampling"] = "4:4:4"
    elif form.name == "webp":
        options["method"] = 4
        if lossless:  # quality is the effort here; exact keeps the colours under full transparency
            options |= {"lossless": True, "quality": 75, "exact": True}
    return options


def _exif_for(picture: Picture, form: Format) -> bytes:
    if picture.exif is None:
        return b""
    if form.name == "jpg" and len(picture.exif) > _JPEG_MAX_EXIF:
        warnings.warn(
            f"the EXIF block has {len(picture.exif)} bytes, more than a jpg can hold; it is left out",
            stacklevel=2,
        )
        return b""
    return with_jpeg_prefix(picture.exif)
