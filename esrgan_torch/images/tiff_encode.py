"""TIFF files written: gray and RGB of 8 and 16 bits, one page for each picture."""

import struct
from collections.abc import Iterable

import numpy as np

from esrgan_torch.errors import ImageWriteError
from esrgan_torch.images.directories import (
    ASCII,
    BYTE,
    UNDEFINED,
    Directory,
    Entry,
    fraction,
    longs,
    raw,
    shorts,
    write_directory,
)
from esrgan_torch.images.metadata import tiff_tags
from esrgan_torch.images.optional import codec
from esrgan_torch.images.picture import Picture
from esrgan_torch.images.tiff import ICC_PROFILE, IPTC, RESOLUTIONS, UNIT, XMP

_DEFLATE = 8
_MIN_IS_BLACK, _RGB, _STRAIGHT = 1, 2, 2  # of PhotometricInterpretation and of ExtraSamples
_DESCRIPTION = 270
_STRIP_BYTES = 1 << 20
_MAX_FILE = (1 << 32) - 1  # offsets have 32 bits


def encode_tiff(pictures: Iterable[Picture]) -> tuple[bytes, int]:
    """The whole file and the number of its pages, one for each picture.

    Deflate with horizontal prediction, in strips of about 1 MiB.

    Written here because tifffile writes no EXIF directory and Pillow no 16-bit colour, nor odd tags. (TIFF
    6.0, Adobe 1992; deflate: TIFF Technical Note 2002.)

    Raises:
        ImageWriteError: the file would pass the 4 GiB that the format can address.
        MissingCodecError: imagecodecs is not installed.
    """
    parts = [bytearray(b"II" + struct.pack("<HI", 42, 8))]
    count, end, link = 0, 8, (0, 4)  # the part and the place in it that hold the offset of the next directory
    for picture in pictures:
        if end % 2:  # directories begin at even places
            parts[-1].append(0)
            end += 1
        directory, strips = _encode_page(picture, end)
        struct.pack_into("<I", parts[link[0]], link[1], end)
        (entries,) = struct.unpack_from("<H", directory)
        link = len(parts), 2 + 12 * entries
        parts += [directory, *strips]
        count += 1
        end += len(directory) + sum(map(len, strips))
        if end > _MAX_FILE:
            raise ImageWriteError("the picture is larger than a TIFF file can be (4 GiB); write it as png")
    return b"".join(parts), count


def _encode_page(picture: Picture, offset: int) -> tuple[bytearray, list[bytearray]]:
    """The directory of a page that begins at `offset` of its file, and the strips that follow it."""
    pixels = picture.pixels.astype(picture.pixels.dtype.newbyteorder("<"), copy=False)
    row_bytes = picture.width * picture.channels * pixels.itemsize
    rows = max(1, _STRIP_BYTES // row_bytes)
    imagecodecs = codec("imagecodecs", "TIFF files")
    strips: list[bytearray] = []
    for top in range(0, picture.height, rows):
        strip = pixels[top : top + rows].copy()
        strip[:, 1:] -= pixels[top : top + rows, :-1]  # wraps around, as predictor 2 means it to
        strips.append(bytearray(imagecodecs.deflate_encode(strip.tobytes(), level=6)))
    sizes = [len(strip) for strip in strips]
    if offset + sum(sizes) > _MAX_FILE - (1 << 24):
        raise ImageWriteError("the picture is larger than a TIFF file can be (4 GiB); write it as png")

    entries = page_entries(picture, picture.height, picture.width)
    entries |= {
        273: longs(*sizes),  # as many as there will be offsets
        278: longs(rows),
        279: longs(*sizes),
    }
    first = offset + len(write_directory(entries, offset))
    entries[273] = longs(*(first + np.cumsum([0, *sizes[:-1]])).tolist())
    return write_directory(entries, offset), strips


def page_entries(picture: Picture, height: int, width: int) -> dict[int, Entry | Directory]:
    """The tags of a page, but for those that say where its samples lie: deflate, horizontal prediction.

    Args:
        picture: of any size, with the channels, bits and metadata of the page.
        height, width: of the page.
    """
    entries = {} if picture.exif is None else dict(tiff_tags(picture.exif))
    entries |= {
        256: longs(width),
        257: longs(height),
        258: shorts(*[picture.bits] * picture.channels),
        259: shorts(_DEFLATE),
        262: shorts(_MIN_IS_BLACK if picture.channels < 3 else _RGB),
        277: shorts(picture.channels),
        317: shorts(2),  # horizontal prediction
    }
    if picture.has_alpha:
        entries[338] = shorts(_STRAIGHT)
    for tag, data in ((ICC_PROFILE, picture.icc_profile), (IPTC, picture.iptc), (XMP, picture.xmp)):
        if data:
            entries[tag] = raw(BYTE if tag == XMP else UNDEFINED, data)
    if picture.density is not None:
        for tag, value in zip(RESOLUTIONS, picture.density, strict=True):
            tenths = round(value * 10)
            entries[tag] = fraction(tenths, 10) if tenths <= _MAX_FILE else fraction(round(value), 1)
        entries[UNIT] = shorts(2)
    described = next((text for key, text in picture.texts if key in ("Description", "Comment")), None)
    if described is not None and _DESCRIPTION not in entries:
        entries[_DESCRIPTION] = raw(ASCII, described.encode() + b"\0")
    return entries
