"""Picture files written by rows, as they come: PNG, and BigTIFF in tiles."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.errors import ConfigError, ImageWriteError
from esrgan_torch.images.encode import facts_as_written
from esrgan_torch.images.formats import find_format
from esrgan_torch.images.picture import Picture, Samples
from esrgan_torch.images.png import SIGNATURE, chunk, coded_metadata
from esrgan_torch.images.tiff_rows import write_tiff
from esrgan_torch.storage.atomic import atomic_path

PNG, TIFF = (".png",), (".tif", ".tiff")
_COMPRESSION = 4
_AT_ONCE = 1 << 20  # bytes of a chunk


def check_rows_path(path: Path) -> None:
    """ConfigError where files of this name are not written by rows."""
    if path.suffix.lower() not in PNG + TIFF:
        raise ConfigError(f"{path} cannot be written by rows; give a name that ends in .png or .tif")


def write_rows(path: Path, rows: Iterable[Samples], height: int, width: int, about: Picture) -> None:
    """Write a picture that comes as bands of rows; the file is whole or not there.

    Args:
        path: its name's end says the format: .png, or .tif for a BigTIFF in tiles of 256x256 pixels.
        rows: (h, width, C) each, uint8 or uint16, `height` rows together; C = 1 or 3.
        height, width: of the picture.
        about: a picture of any size with its channels and bits, and what the file shall say: as of a
            picture that is written whole.

    Raises:
        ConfigError: another format.
        ImageWriteError: there were more rows or fewer.
        OSError: the file cannot be written.
    """
    check_rows_path(path)
    about = facts_as_written(about, find_format(path.suffix), height, width)
    write = _write_png if path.suffix.lower() in PNG else write_tiff
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        write(file, _counted(rows, height), height, width, about)


def _counted(rows: Iterable[Samples], height: int) -> Iterator[Samples]:
    count = 0
    for band in rows:
        count += len(band)
        if count > height:
            raise ImageWriteError(f"more than {height} rows were written")
        yield band
    if count < height:
        raise ImageWriteError(f"only {count} of {height} rows were written")


def _write_png(file: BinaryIO, rows: Iterator[Samples], height: int, width: int, about: Picture) -> None:
    colour_type = {1: 0, 3: 2}[about.channels]
    file.write(SIGNATURE)
    file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, about.bits, colour_type, 0, 0, 0)))
    file.write(coded_metadata(about))
    packer, packed = zlib.compressobj(_COMPRESSION), bytearray()
    above = np.zeros(width * about.channels * about.bits // 8, np.uint8)
    for band in rows:
        stored = np.ascontiguousarray(band.astype(band.dtype.newbyteorder(">"))).view(np.uint8)
        raw = stored.reshape(len(band), -1)
        packed += packer.compress(filtered(raw, above, about.channels * about.bits // 8))
        above = raw[-1]
        if len(packed) >= _AT_ONCE:
            file.write(chunk(b"IDAT", bytes(packed)))
            packed.clear()
    file.write(chunk(b"IDAT", bytes(packed) + packer.flush()))
    file.write(chunk(b"IEND", b""))


def filtered(rows: NDArray[np.uint8], above: NDArray[np.uint8], pixel: int) -> bytes:
    """Rows of bytes as PNG packs them: less the row above, or less the pixel before.

    Of both the one that leaves less is taken for each row. (PNG Specification, section 9: filters 1 and 2.)

    Args:
        rows: (h, bytes).
        above: the row before the first.
        pixel: bytes of a pixel.
    """
    up = rows - np.concatenate((above[None], rows[:-1]))
    sub = rows.copy()
    sub[:, pixel:] -= rows[:, :-pixel]
    # as signed numbers: small ones, whatever their sign, pack well
    costs = [np.abs(left.view(np.int8).astype(np.int16)).sum(axis=1, dtype=np.int64) for left in (sub, up)]
    by_row = costs[1] < costs[0]
    out = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
    out[:, 0] = 1 + by_row
    out[:, 1:] = np.where(by_row[:, None], up, sub)
    return out.tobytes()
