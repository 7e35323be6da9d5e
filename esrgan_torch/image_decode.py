"""From the bytes of a picture file to a `Picture`: which kind it is, how large, and its pixels."""

import io
import struct
import warnings
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from esrgan_torch.errors import ImageReadError, ImageTooLargeError
from esrgan_torch.image_metadata import fitting_profile, orient, take_orientation
from esrgan_torch.image_pillow import load, plain_mode
from esrgan_torch.image_png import SIGNATURE, decode_png, png_size
from esrgan_torch.image_tiff import TiffFile
from esrgan_torch.picture import Picture, Pixels

HEAD = 32
"""Bytes of a file that `recognise` needs."""

# The classes are called directly, not through Image.open, which compares the size with a limit of its own
# that is global to the process and warns.
_PILLOW: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
}


def recognise(head: bytes) -> str | None:
    """The kind of file that begins with these bytes (`HEAD` of them or all), None for no known picture."""
    if head.startswith(SIGNATURE):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis", b"mif1", b"msf1"):
        return "AVIF"
    if head.startswith(b"BM"):
        return "BMP"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    return None


def decode(kind: str, data: bytes, max_pixels: int) -> Picture:
    """Decode a whole file of a kind that `recognise` named.

    The size in the header is compared with `max_pixels` before anything of that size is allocated.

    Raises:
        ImageTooLargeError: the header announces more pixels.
        ImageReadError: a kind of pixels that cannot be read.
        Exception: of whatever kind the libraries raise, where the file is damaged.
    """
    if kind == "PNG":
        _check_size(*png_size(data), max_pixels)
        pixels, icc_profile, exif = decode_png(data)
        orientation, exif = take_orientation(exif)
    elif kind == "TIFF":
        file = TiffFile(data)
        _check_size(file.height, file.width, max_pixels)
        if file.plain:
            pixels, icc_profile, orientation = file.pixels(), file.icc_profile, file.orientation
        else:
            # Pillow turns a TIFF upright by itself
            (pixels, icc_profile, _), orientation = _decode_by_pillow(kind, data, max_pixels), 1
        _, exif = take_orientation(file.exif)
    else:
        pixels, icc_profile, exif = _decode_by_pillow(kind, data, max_pixels)
        orientation, exif = take_orientation(exif)
    return Picture(orient(pixels, orientation), fitting_profile(icc_profile, pixels.shape[2]), exif)


def _check_size(height: int, width: int, max_pixels: int) -> None:
    if height * width > max_pixels:
        raise ImageTooLargeError(
            f"the header announces {width} x {height} = {height * width / 1e6:,.1f} million pixels, more "
            f"than the limit of {max_pixels / 1e6:,.1f} million, which guards against files made to "
            f"exhaust the memory; if you trust the file, pass max_pixels={height * width} or more"
        )


def _decode_by_pillow(kind: str, data: bytes, max_pixels: int) -> tuple[Pixels, bytes | None, bytes | None]:
    """Pixels (H, W, C) of 8 bits, ICC profile and EXIF block with its orientation still in it."""
    if kind == "WebP":  # whose class allocates the whole canvas when it opens a file
        _check_size(*_webp_size(data), max_pixels)
    try:
        with _PILLOW[kind](io.BytesIO(data)) as image:
            _check_size(image.height, image.width, max_pixels)
            load(image)
            icc_profile: bytes | None = image.info.get("icc_profile")
            exif: bytes | None = image.info.get("exif")
            if image.mode == "CMYK":
                return np.asarray(_cmyk_to_rgb(image, icc_profile)), None, exif
            pixels = np.asarray(image.convert(plain_mode(image)))
    except Image.DecompressionBombError as error:
        raise ImageTooLargeError(
            f"Pillow refuses it: {error} To read it, set PIL.Image.MAX_IMAGE_PIXELS = None"
        ) from error
    return (pixels[:, :, None] if pixels.ndim == 2 else pixels), icc_profile, exif


def _cmyk_to_rgb(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """sRGB through the embedded profile, or Pillow's plain formula where there is none."""
    if icc_profile is None:
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        target = ImageCms.ImageCmsProfile(cast(Any, ImageCms.createProfile("sRGB")))
        converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError) as error:
        warnings.warn(f"the CMYK profile is damaged ({error}); converted to RGB without it", stacklevel=2)
        return image.convert("RGB")
    assert converted is not None  # only an in-place conversion returns None
    return converted


def _webp_size(data: bytes) -> tuple[int, int]:
    """(height, width) of the canvas (RFC 9649, section 2)."""
    chunk = data[12:16]
    if chunk == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif chunk == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, 21)
        width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    elif chunk == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        raise ImageReadError(f"a WebP file begins with VP8, VP8L or VP8X, not {chunk!r}: it is damaged")
    return height, width
