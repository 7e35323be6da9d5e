"""Orientation applied to pixels, and EXIF blocks in TIFF files, whose own directories hold what they say."""

import struct
import warnings
from dataclasses import replace

import numpy as np

from esrgan_torch.images.colour import adobe_rgb_profile, fitting_profile
from esrgan_torch.images.directories import BIG, CLASSIC, Directory, Layout, read_directory, write_directory
from esrgan_torch.images.exif import (
    EXIF_IFD,
    GPS_IFD,
    INTEROPERABILITY_IFD,
    is_adobe_rgb,
    take_orientation,
    xmp_upright,
)
from esrgan_torch.images.picture import Picture, Pixels

# tags of a TIFF file's own directory that describe the picture and not how its file is laid out:
# description, make, model, software, date, artist, copyright
_DESCRIPTIVE = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)
_POINTERS = {EXIF_IFD: (INTEROPERABILITY_IFD,), GPS_IFD: ()}
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_BIG_ORDERS = {b"II+\0": "<", b"MM\0+": ">"}
_HEAD = 8  # bytes before the first directory of an EXIF block


def orient(pixels: Pixels, orientation: int) -> Pixels:
    """Turn and mirror pixels (H, W, C) as the EXIF orientation 1 to 8 asks; 5 to 8 swap height and width."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def upright(picture: Picture, orientation: int | None = None) -> Picture:
    """A picture as it was decoded turned upright, by its EXIF block unless another orientation is known.

    Its metadata say so then, and a profile that does not fit its channels is made to or left out.
    """
    found, exif = take_orientation(picture.exif)
    if exif is None and picture.exif:
        warnings.warn("its EXIF block is damaged; it is left out", stacklevel=2)
    pixels = orient(picture.pixels, found if orientation is None else orientation)
    profile = picture.icc_profile
    if profile is None and picture.channels >= 3 and is_adobe_rgb(exif):
        profile = adobe_rgb_profile()
    fitting = fitting_profile(profile, pixels.shape[2])
    if profile is not None and fitting is None:
        kind = "gray" if pixels.shape[2] < 3 else "RGB"
        warnings.warn(f"its ICC profile does not describe {kind} pixels; it is left out", stacklevel=2)
    return replace(picture, pixels=pixels, icc_profile=fitting, exif=exif, xmp=xmp_upright(picture.xmp))


def exif_of_tiff(data: bytes | memoryview, offset: int) -> bytes | None:
    """The EXIF block of a page of a TIFF file, whose descriptions lie among tags about strips and tiles.

    Args:
        data: the whole file.
        offset: where the page's directory begins.

    None if there is nothing of the kind.
    """
    head = bytes(data[:4])
    big = head in _BIG_ORDERS
    order = _BIG_ORDERS[head] if big else _ORDERS.get(head)
    if order is None:
        return None
    described = _descriptions(data, offset, order, BIG if big else CLASSIC)
    if not described:
        return None
    return (
        {"<": b"II*\0", ">": b"MM\0*"}[order]
        + struct.pack(order + "I", _HEAD)
        + bytes(write_directory(described, _HEAD, order))
    )


def tiff_tags(exif: bytes) -> Directory:
    """The tags of an EXIF block that belong in the directory of a TIFF file."""
    order = _ORDERS.get(exif[:4])
    if order is None or len(exif) < _HEAD:
        return {}
    return _descriptions(exif, struct.unpack_from(order + "I", exif, 4)[0], order)


def _descriptions(data: bytes | memoryview, offset: int, order: str, layout: Layout = CLASSIC) -> Directory:
    try:
        found = read_directory(data, offset, order, _POINTERS, layout)
    except struct.error:
        return {}
    return {tag: entry for tag, entry in found.items() if tag in _DESCRIPTIVE or tag in _POINTERS}
