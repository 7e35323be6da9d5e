"""What a picture file says beside its pixels: orientation, EXIF block, ICC profile."""

import struct

import numpy as np
from PIL import Image

from esrgan_torch.picture import Pixels

ORIENTATION = 0x0112
EXIF_IFD = 0x8769
GPS_IFD = 0x8825
_JPEG_PREFIX = b"Exif\0\0"
# tags of a TIFF file's own directory that describe the picture and not how its file is laid out:
# description, make, model, software, date, artist, copyright
_DESCRIPTIVE = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)


def take_orientation(exif: bytes | None) -> tuple[int, bytes | None]:
    """Split an EXIF block into its orientation (1 to 8) and the same block with the orientation set to 1.

    The block is changed in that one place alone: re-coding it would move what maker notes point to.
    A block that cannot be parsed is dropped, (1, None): no reader could use it.

    Args:
        exif: from the byte order mark on, or with JPEG's "Exif" marker before it.
    """
    if exif is None:
        return 1, None
    block = exif.removeprefix(_JPEG_PREFIX)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return 1, None
    try:
        (start,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(order + "HH", block, entry)
            if tag == ORIENTATION and kind == 3:  # 3: SHORT
                (orientation,) = struct.unpack_from(order + "H", block, entry + 8)
                upright = block[: entry + 8] + struct.pack(order + "H", 1) + block[entry + 10 :]
                return (orientation if 1 <= orientation <= 8 else 1), upright
    except struct.error:
        return 1, None
    return 1, block


def orient(pixels: Pixels, orientation: int) -> Pixels:
    """Turn and mirror pixels (H, W, C) as the EXIF orientation 1 to 8 asks; 5 to 8 swap height and width."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def fitting_profile(icc_profile: bytes | None, channels: int) -> bytes | None:
    """The ICC profile if it describes pixels of so many channels (1 to 4), else None.

    A reader that meets a gray or CMYK profile on RGB pixels shows wrong colours or refuses the file.
    """
    # bytes 16 to 19 of the header name the colour space (ICC.1:2022, 7.2.6)
    if icc_profile is not None and icc_profile[16:20] == (b"GRAY" if channels < 3 else b"RGB "):
        return icc_profile
    return None


def exif_of_tiff(data: bytes, offset: int) -> bytes | None:
    """The EXIF block of a page of a TIFF file, whose descriptions lie among tags about strips and tiles.

    Args:
        data: the whole file.
        offset: where the page's directory begins.

    None if there is nothing of the kind, and for a BigTIFF file, whose directories are built otherwise.
    """
    if data[2:4] not in (b"*\0", b"\0*"):
        return None
    order = "<" if data[:2] == b"II" else ">"
    source = Image.Exif()
    source.load(b"".join((data[:4], struct.pack(order + "I", offset), memoryview(data)[8:])))
    target = Image.Exif()
    for tag in _DESCRIPTIVE:
        if tag in source:
            target[tag] = source[tag]
    for directory in (EXIF_IFD, GPS_IFD):
        if entries := source.get_ifd(directory):
            target.get_ifd(directory).update(entries)
            target[directory] = target.get_ifd(directory)
    return target.tobytes().removeprefix(_JPEG_PREFIX) if len(target) else None


def tiff_tags(exif: bytes) -> dict[int, object]:
    """The tags of an EXIF block that belong in the directory of a TIFF file; sub-directories are dicts."""
    source = Image.Exif()
    source.load(exif)
    tags: dict[int, object] = {tag: source[tag] for tag in _DESCRIPTIVE if tag in source}
    for directory in (EXIF_IFD, GPS_IFD):
        if entries := source.get_ifd(directory):
            tags[directory] = entries
    return tags


def with_jpeg_prefix(exif: bytes) -> bytes:
    """The block as JPEG's APP1 segment begins it, which Pillow expects for every format."""
    return _JPEG_PREFIX + exif
