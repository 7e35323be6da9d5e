"""LZW in TIFF files by libtiff, through Pillow: imagecodecs' decoder may end the process on damaged data.

libtiff is told that the file's strips or tiles are rows of gray bytes, whatever they are; what it unpacks is
then a file without compression, for tifffile to put together. (TIFF 6.0, Adobe 1992, section 13.)
"""

import io
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, TiffImagePlugin

from esrgan_torch.errors import ImageReadError

LZW = 5  # of the tag Compression
_SHORT, _LONG = 3, 4
_AT_ONCE = 1 << 24  # bytes, unless one strip or tile has more


def unpack_lzw(data: bytes, page: Any) -> bytes:
    """Every strip or tile of a page of tifffile's, unpacked, one behind the other, as the file orders them.

    Args:
        data: the whole file.

    Raises:
        OSError: the data is damaged.
        ImageReadError: strips or tiles are missing, or of no size.
    """
    places = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    planes = page.samplesperpixel if page.planarconfig == 2 else 1
    samples = page.samplesperpixel if planes == 1 else 1
    if page.is_tiled:
        rows, width = page.tilelength, page.tilewidth
        heights = [rows] * len(places)
    else:
        rows, width = page.rowsperstrip, page.imagewidth
        if rows < 1:
            raise ImageReadError("its strips have no rows: it is damaged")
        full, rest = divmod(page.imagelength, rows)
        heights = ([rows] * full + [rest] * bool(rest)) * planes
    if not places or len(heights) != len(places):
        raise ImageReadError(f"it has {len(places)} strips where it needs {len(heights)}: it is damaged")
    row_bytes = width * samples * page.bitspersample // 8
    parts: list[bytes] = []
    begin = 0
    while begin < len(places):  # several of one height at once
        end = begin + 1
        most = begin + max(1, _AT_ONCE // max(row_bytes * heights[begin], 1))
        while end < min(len(places), most) and heights[end] == heights[begin]:
            end += 1
        segments = [data[offset : offset + count] for offset, count in places[begin:end]]
        parts.append(_unpacked(segments, row_bytes, heights[begin], page.fillorder))
        begin = end
    return b"".join(parts)


def sizes_of(page: Any, unpacked: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(offsets, counts) of the strips or tiles in what `unpack_lzw` gave, so many bytes."""
    planes = page.samplesperpixel if page.planarconfig == 2 else 1
    if page.is_tiled:
        counts = [unpacked // len(page.dataoffsets)] * len(page.dataoffsets)
    else:
        row_bytes = unpacked // (page.imagelength * planes)
        full, rest = divmod(page.imagelength, page.rowsperstrip)
        heights = ([page.rowsperstrip] * full + [rest] * bool(rest)) * planes
        counts = [height * row_bytes for height in heights]
    return tuple(np.cumsum([0, *counts[:-1]]).tolist()), tuple(counts)


def _unpacked(segments: Sequence[bytes], row_bytes: int, rows: int, fill_order: int) -> bytes:
    """Segments that each hold so many rows of so many bytes."""
    body = b"".join(segments)
    body += b"\0" * (len(body) % 2)
    counts = [len(segment) for segment in segments]
    offsets = (8 + np.cumsum([0, *counts[:-1]])).tolist()
    tables = 8 + len(body)  # where the arrays of the directory are
    directory = tables + 8 * len(segments)
    single = len(segments) == 1
    entries = (
        (256, _LONG, 1, row_bytes),
        (257, _LONG, 1, rows * len(segments)),
        (258, _SHORT, 1, 8),
        (259, _SHORT, 1, LZW),
        (262, _SHORT, 1, 1),
        (266, _SHORT, 1, fill_order),
        (273, _LONG, len(segments), offsets[0] if single else tables),
        (277, _SHORT, 1, 1),
        (278, _LONG, 1, rows),
        (279, _LONG, len(segments), counts[0] if single else tables + 4 * len(segments)),
    )
    file = b"".join(
        (
            struct.pack("<2sHI", b"II", 42, directory),
            body,
            np.array([*offsets, *counts], "<u4").tobytes(),
            struct.pack("<H", len(entries)),
            *(struct.pack("<HHII", *entry) for entry in entries),
            bytes(4),
        )
    )
    with TiffImagePlugin.TiffImageFile(io.BytesIO(file)) as image:
        # made here, since Pillow has a limit of pixels for what it makes itself, and these are bytes
        image.im = Image.core.new("L", image.size)
        image.load()
        return image.tobytes()
