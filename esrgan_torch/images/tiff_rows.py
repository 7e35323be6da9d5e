"""BigTIFF files written as their rows come: tiles, and behind them the directory that says where they lie."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np

from esrgan_torch.images.directories import BIG, longs, places, shorts, write_directory
from esrgan_torch.images.picture import Picture, Samples
from esrgan_torch.images.tiff_encode import page_entries

TILE = 256
_COMPRESSION = 4
_HEAD = struct.Struct("<2sHHHQ")  # the order of bytes, BigTIFF, bytes of a place, 0, place of the directory


def write_tiff(file: BinaryIO, rows: Iterable[Samples], height: int, width: int, about: Picture) -> None:
    """Write a picture that comes as bands of rows, in tiles of 256x256 pixels packed by deflate.

    Written here because tifffile writes no EXIF directory. (The design of BigTIFF, Aware Systems 2007; TIFF
    6.0, Adobe 1992, sections 14 and 15.)

    Args:
        file: to be written from its start; one can go back in it.
        rows: (h, width, C) each, uint8 or uint16, `height` rows together; C = 1 or 3.
        height, width: of the picture.
        about: a picture of any size with its channels and bits, and what the file shall say.
    """
    file.write(_HEAD.pack(b"II", 43, 8, 0, 0))
    at, starts, sizes = _HEAD.size, list[int](), list[int]()
    for tile in _tiles(rows, width):
        packed = zlib.compress(_differences(tile), _COMPRESSION)
        file.write(packed)
        starts.append(at)
        sizes.append(len(packed))
        at += len(packed)
    if at % 2:  # directories begin at even places
        file.write(b"\0")
        at += 1
    entries = page_entries(about, height, width) | {
        322: shorts(TILE),
        323: shorts(TILE),
        324: places(*starts),
        325: longs(*sizes),
    }
    file.write(write_directory(entries, at, layout=BIG))
    file.seek(0)
    file.write(_HEAD.pack(b"II", 43, 8, 0, at))


def _differences(tile: Samples) -> bytes:
    """Each sample less the one before it in its row, as predictor 2 means it: it wraps around."""
    stored = tile.astype(tile.dtype.newbyteorder("<"))
    stored[:, 1:] -= tile[:, :-1]
    return stored.tobytes()


def _tiles(rows: Iterable[Samples], width: int) -> Iterator[Samples]:
    """Tiles in order of rows; at the right and at the bottom filled up with zeros."""
    held: list[Samples] = []
    count = 0
    for band in rows:
        held.append(band)
        count += len(band)
        while count >= TILE:
            joined = np.concatenate(held)
            yield from _cut(joined[:TILE], width)
            held, count = [joined[TILE:]], count - TILE
    if count:
        yield from _cut(np.concatenate(held), width)


def _cut(rows: Samples, width: int) -> Iterator[Samples]:
    for left in range(0, width, TILE):
        part = rows[:, left : left + TILE]
        missing = TILE - part.shape[0], TILE - part.shape[1]
        yield np.pad(part, ((0, missing[0]), (0, missing[1]), (0, 0)))
