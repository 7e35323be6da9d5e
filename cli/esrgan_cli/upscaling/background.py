"""Transparent pictures on one colour, as a browser shows them on a page of that colour."""

import io
from typing import Any, cast

import numpy as np
from PIL import Image, ImageCms, ImageColor

from esrgan_torch.errors import ConfigError
from esrgan_torch.images.picture import Picture

Colour = tuple[int, int, int]
_ROWS = 256  # that are worked on at once, so that a large picture takes little more memory


def parse_colour(text: str) -> Colour:
    """The sRGB colour, 0 to 255 each, that a name of CSS, #rgb, #rrggbb, rgb(...) or hsl(...) means.

    Raises:
        ConfigError: another text, or a colour that is transparent itself.
    """
    try:
        red, green, blue, *alpha = ImageColor.getrgb(text)
    except ValueError as error:
        raise ConfigError(f"--background {text!r} is no colour; give for example white or #ff8800") from error
    if alpha not in ([], [255]):
        raise ConfigError(f"--background {text}: a background is not transparent itself")
    return red, green, blue


def on_background(picture: Picture, colour: Colour) -> Picture:
    """The picture without alpha, laid over the colour; as it is where it has no alpha.

    Values are mixed as they are stored, as browsers do, not as amounts of light. A picture with a colour
    profile gets the colour in its own colour space. Gray stays gray on white, gray and black.
    """
    if not picture.has_alpha:
        return picture
    values, grey = _in_space_of(picture, colour), len(set(colour)) == 1
    if picture.channels == 2 and grey:
        values = values[:1]
    paint = np.array(values, np.uint32) * (picture.maximum // 255)
    height, width, channels = picture.pixels.shape
    mixed = np.empty((height, width, len(paint)), picture.pixels.dtype)
    top = np.uint32(picture.maximum)
    for row in range(0, height, _ROWS):
        part = picture.pixels[row : row + _ROWS].astype(np.uint32)
        alpha = part[:, :, channels - 1 :]
        # 65535 * 65535 + 32767 is the most, and fits into 32 bits
        mixed[row : row + _ROWS] = (part[:, :, :-1] * alpha + paint * (top - alpha) + top // 2) // top
    return picture.with_pixels(mixed)


def _in_space_of(picture: Picture, colour: Colour) -> Colour:
    """An sRGB colour in the colour space of the picture's profile."""
    if picture.icc_profile is None or picture.icc_profile[16:20] != b"RGB ":
        return colour
    try:
        source = ImageCms.ImageCmsProfile(cast(Any, ImageCms.createProfile("sRGB")))
        target = ImageCms.ImageCmsProfile(io.BytesIO(picture.icc_profile))
        pixel = ImageCms.profileToProfile(Image.new("RGB", (1, 1), colour), source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):  # a damaged profile says nothing about colours
        return colour
    assert pixel is not None  # only an in-place conversion returns None
    return cast(Colour, pixel.getpixel((0, 0)))
