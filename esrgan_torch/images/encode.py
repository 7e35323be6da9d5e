"""From a `Picture` to the bytes of a file, within what each format can hold."""

import warnings
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain

import numpy as np
from PIL import ImageCms

from esrgan_torch.errors import ConfigError, EsrganError, ImageWriteError
from esrgan_torch.images.animate import encode_by_pillow, encode_gif
from esrgan_torch.images.apng import encode_apng
from esrgan_torch.images.colour import converted_to_srgb, fitting_profile, is_hdr
from esrgan_torch.images.encode_pillow import encode_one_by_pillow, pillow_options
from esrgan_torch.images.exif import exif_as_written, xmp_as_written
from esrgan_torch.images.formats import WITH_ALPHA, WITH_FRAMES, Coding, Format
from esrgan_torch.images.jxl import encode_jxl
from esrgan_torch.images.picture import Frame, Picture, Pixels
from esrgan_torch.images.png import encode_png
from esrgan_torch.images.tiff_encode import encode_tiff


def encode(picture: Picture, coding: Coding) -> bytes:
    """The whole file.

    Raises:
        ConfigError: the picture has alpha and the format has none.
        ImageWriteError: the picture is too large for the format, or its encoder fails.
        MissingCodecError: the encoder is not installed.
    """
    form = coding.form
    picture = _fitted(picture, form)
    with _encoder(form):
        if form.name == "png":
            return encode_png(picture)
        if form.name == "tiff":
            return encode_tiff([picture])[0]
        if form.name == "gif":
            return encode_gif([Frame(picture)], 1)[0]
        if form.name == "jxl":
            return encode_jxl(picture.pixels, coding)
        return encode_one_by_pillow(picture, coding)


def encode_frames(frames: Iterable[Frame], plays: int, coding: Coding) -> tuple[bytes, int]:
    """The whole file and the number of its frames.

    Args:
        plays: how many times an animation is played, 0 for ever.
        Others, and errors, as in `encode`.

    Raises:
        FramesError: going through the frames raised something.
        ConfigError: also where there are no frames, or several and the format holds one, or where those of an
            animation differ in size, depth or number of channels.
    """
    form = coding.form
    all_frames = _taken(frames)
    first = next(all_frames, None)
    if first is None:
        raise ConfigError("there are no frames to write")
    second = next(all_frames, None)
    if second is None:
        return encode(first.picture, coding), 1
    if form.frames is None:
        raise ConfigError(f"{form.name} holds one picture, not several frames; use one of {WITH_FRAMES}")

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
        pieces = fitted()
        head = next(pieces)
        options = pillow_options(head.picture, coding)
        return encode_by_pillow(chain((head,), pieces), plays, form.name.upper(), options)


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
            f"the picture has transparency, which {form.name} cannot keep; use {WITH_ALPHA}, "
            'or remove it with alpha="drop"'
        )
    if max(picture.height, picture.width) > form.max_side:
        raise ImageWriteError(
            f"{picture.width} x {picture.height} pixels is too large for {form.name}, whose sides end at "
            f"{form.max_side}; use png or tiff"
        )
    if picture.bits == 16 and not form.sixteen:
        picture = picture.with_pixels(to_8_bits(picture.pixels))
    if not form.profile:
        picture = replace(_in_srgb(picture, form), icc_profile=None)
    return facts_as_written(picture, form, picture.height, picture.width)


def facts_as_written(picture: Picture, form: Format, height: int, width: int) -> Picture:
    """The picture with what the format can hold of its metadata, put right for a picture of this size."""
    channels = form.channels.get(picture.channels, picture.channels)
    profile = fitting_profile(picture.icc_profile, channels)
    if profile is None and picture.icc_profile is not None:
        warnings.warn(f"its ICC profile does not fit {form.name}; it is left out", stacklevel=2)
    if is_hdr(picture.icc_profile) and form.name != "png":
        warnings.warn(
            f"its colours are HDR, which {form.name} can declare only by its ICC profile; png keeps cICP",
            stacklevel=2,
        )
    return replace(
        picture,
        icc_profile=profile,
        exif=exif_as_written(picture.exif, height, width),
        xmp=xmp_as_written(picture.xmp, height, width),
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
        f"its density of {across:,} x {down:,} pixels an inch cannot be stored in {form.name}; "
        "it is left out",
        stacklevel=2,
    )
    return None


def _in_srgb(picture: Picture, form: Format) -> Picture:
    try:
        return converted_to_srgb(picture)
    except (ImageCms.PyCMSError, OSError) as error:
        warnings.warn(
            f"its ICC profile is damaged ({error}) and {form.name} has no profiles; it is left out",
            stacklevel=2,
        )
        return picture


def to_8_bits(pixels: Pixels) -> Pixels:
    """uint16 pixels rounded to the nearest of uint8; uint8 pixels as they are."""
    if pixels.dtype == np.uint8:
        return pixels
    # 65535 = 255 * 257, and 257 is odd: no ties
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
