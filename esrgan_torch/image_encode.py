"""From a `Picture` to the bytes of a file, within what each format can hold."""

import io
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from esrgan_torch.errors import ConfigError, ImageWriteError
from esrgan_torch.image_metadata import fitting_profile, with_jpeg_prefix
from esrgan_torch.image_png import MAX_SIDE as PNG_MAX_SIDE
from esrgan_torch.image_png import encode_png
from esrgan_torch.image_tiff import encode_tiff
from esrgan_torch.picture import Picture, Pixels

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
    """

    name: str
    suffixes: tuple[str, ...]
    sixteen: bool
    alpha: bool
    quality: int | None
    lossless: bool
    max_side: int


_FORMATS = (
    Format("png", (".png",), sixteen=True, alpha=True, quality=None, lossless=True, max_side=PNG_MAX_SIDE),
    Format("jpg", (".jpg", ".jpeg"), sixteen=False, alpha=False, quality=95, lossless=False, max_side=65_500),
    Format("webp", (".webp",), sixteen=False, alpha=True, quality=90, lossless=True, max_side=16_383),
    Format("tiff", (".tif", ".tiff"), sixteen=True, alpha=True, quality=None, lossless=True, max_side=2**31),
    # Pillow's AVIF is off by up to 2 levels at quality 100, so lossless is not on offer
    Format("avif", (".avif",), sixteen=False, alpha=True, quality=85, lossless=False, max_side=32_768),
    Format("bmp", (".bmp",), sixteen=False, alpha=False, quality=None, lossless=True, max_side=2**31 - 1),
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
            raise ConfigError(f"{form.name} loses nothing and has no quality; leave quality out")
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
    """
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
    picture = replace(picture, icc_profile=fitting_profile(picture.icc_profile, picture.channels))
    try:
        if form.name == "png":
            return encode_png(picture)
        if form.name == "tiff":
            return encode_tiff(picture)
        return _encode_by_pillow(picture, form, quality if quality is not None else form.quality, lossless)
    except (OSError, ValueError, RuntimeError) as error:
        raise ImageWriteError(f"the {form.name} encoder failed: {error}") from error


def to_8_bits(pixels: Pixels) -> Pixels:
    """uint16 pixels rounded to the nearest of uint8; uint8 pixels as they are."""
    if pixels.dtype == np.uint8:
        return pixels
    # 65535 = 255 * 257, and 257 is odd: no ties
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _encode_by_pillow(picture: Picture, form: Format, quality: int | None, lossless: bool) -> bytes:
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[picture.channels]
    pixels = np.ascontiguousarray(picture.pixels[:, :, 0] if mode == "L" else picture.pixels)
    image = Image.fromarray(pixels)
    if mode == "LA" or (mode == "L" and form.name == "webp"):  # webp has no gray, neither has gray alpha
        image = image.convert("RGBA" if mode == "LA" else "RGB")
    options: dict[str, Any] = {}
    icc_profile = fitting_profile(picture.icc_profile, len(image.getbands()))
    if form.name != "bmp":
        options = {"icc_profile": icc_profile, "exif": _exif_for(picture, form)}
    if quality is not None and not lossless:
        options["quality"] = quality
    if form.name == "jpg":
        options["subsampling"] = 0  # 4:4:4: a chroma plane of half the size would undo the upscaling
    elif form.name == "avif" and mode != "L":
        options["subsampling"] = "4:4:4"
    elif form.name == "webp" and lossless:
        # quality is the effort here; exact keeps the colours under full transparency
        options |= {"lossless": True, "quality": 75, "exact": True}
    stream = io.BytesIO()
    image.save(stream, {"jpg": "JPEG"}.get(form.name, form.name.upper()), **options)
    return stream.getvalue()


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
