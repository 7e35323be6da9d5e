"""From the bytes of a picture file to what it holds: which kind it is, how large, and its pixels."""

import struct
import warnings
from collections.abc import Iterator
from dataclasses import replace

from esrgan_torch.images.apng import Apng
from esrgan_torch.images.frames import animation, single
from esrgan_torch.images.heif import HeifFile
from esrgan_torch.images.jxl import JxlFile
from esrgan_torch.images.limits import BYTES_A_PIXEL, check_memory, check_size
from esrgan_torch.images.metadata import upright
from esrgan_torch.images.picture import Frame, Frames, Picture, Pixels
from esrgan_torch.images.pillow import decode_by_pillow, tiff_page_by_pillow
from esrgan_torch.images.png import PngFile, png_size
from esrgan_torch.images.png_metadata import PngMetadata
from esrgan_torch.images.pnm import PnmFile
from esrgan_torch.images.tiff import TiffFile


def decode(kind: str, data: bytes, max_pixels: int) -> Frames:
    """What a whole file of a kind that `recognise` named holds; pixels are decoded on the way through.

    The size in the header is compared with `max_pixels` before anything of that size is allocated, and the
    bytes of pixels that it means are stated.

    Raises:
        ImageTooLargeError: the header announces more pixels.
        ImageReadError: a kind of pixels that cannot be read.
        Exception: of whatever kind the libraries raise, where the file is damaged; in the frames too.
    """
    if kind == "PNG":
        return _decode_png(data, max_pixels)
    if kind == "TIFF":
        return _decode_tiff(data, max_pixels)
    if kind == "HEIF":
        return _decode_heif(data, max_pixels)
    if kind == "JPEG XL":
        return _decode_jxl(data, max_pixels)
    if kind == "PNM" and (file := PnmFile(data)).own:
        check_size(file.height, file.width, max_pixels)
        return single(lambda: Picture(file.pixels()), file.height * file.width * BYTES_A_PIXEL)
    return decode_by_pillow(kind, data, max_pixels)


def _decode_png(data: bytes, max_pixels: int) -> Frames:
    height, width = png_size(data)
    check_size(height, width, max_pixels)
    file = PngFile(data)
    metadata = PngMetadata(file.chunks)
    memory = height * width * file.pixel_bytes

    def picture(pixels: Pixels) -> Picture:
        return upright(
            Picture(
                pixels,
                metadata.profile(pixels.shape[2]),
                metadata.exif,
                metadata.xmp,
                metadata.iptc,
                metadata.texts,
                metadata.density,
            )
        )

    try:
        stored = Apng(file)
    except struct.error:  # browsers show the still picture then
        warnings.warn("its animation is damaged; the still picture is used", stacklevel=2)
        return single(lambda: picture(file.pixels()), memory)
    if stored.still:
        return single(lambda: picture(file.pixels()), memory)

    def frames() -> Iterator[Frame]:
        for pixels, seconds in stored.frames():
            yield Frame(picture(pixels), seconds)

    return animation(stored.count, stored.plays, frames, memory)


def _decode_tiff(data: bytes, max_pixels: int) -> Frames:
    pages = TiffFile(data).pages

    def frames() -> Iterator[Frame]:
        for page in pages:
            check_size(page.height, page.width, max_pixels)
            check_memory(page.memory, max_pixels)
            page.check()
            if page.plain:
                picture = upright(page.described(page.pixels(), page.icc_profile), page.orientation)
            else:  # Pillow turns it upright by itself
                picture = upright(page.described(*tiff_page_by_pillow(data, page.number, max_pixels)), 1)
            yield Frame(replace(picture, frames=len(pages)))

    # a page that is refused, when it is reached, counts as the most that is not
    memory = min(max(page.memory for page in pages), max_pixels * BYTES_A_PIXEL)

    def first() -> Picture:
        return next(frames()).picture

    return Frames(len(pages), timed=False, loop=0, first=first, decode=frames, memory=memory)


def _decode_heif(data: bytes, max_pixels: int) -> Frames:
    file = HeifFile(data)
    check_size(file.height, file.width, max_pixels)
    memory = file.height * file.width * BYTES_A_PIXEL
    return single(lambda: replace(upright(file.picture(), 1), frames=file.count), memory)


def _decode_jxl(data: bytes, max_pixels: int) -> Frames:
    """Of an animation the first frame alone: how long the others last is not known through imagecodecs."""
    file = JxlFile(data)
    check_size(file.height, file.width, max_pixels)

    if file.animated:
        warnings.warn("it is an animation; only the first frame is read", stacklevel=2)
    return single(file.picture, file.height * file.width * BYTES_A_PIXEL)
