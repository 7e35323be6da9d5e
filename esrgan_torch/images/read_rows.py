"""Picture files read by rows: TIFF and PNG as far as they are needed, others whole."""

import mmap
import struct
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from esrgan_torch.arithmetic import ceil_div
from esrgan_torch.errors import EsrganError, ImageReadError, MissingCodecError
from esrgan_torch.images.exif import take_orientation
from esrgan_torch.images.files import read_image
from esrgan_torch.images.limits import BYTES_A_PIXEL
from esrgan_torch.images.metadata import upright
from esrgan_torch.images.optional import codec
from esrgan_torch.images.picture import Picture, Pixels
from esrgan_torch.images.png import SIGNATURE, PngFile
from esrgan_torch.images.png_metadata import PngMetadata
from esrgan_torch.images.tiff import ICC_PROFILE, bytes_of, described, is_plain_in_rows
from esrgan_torch.images.tiff_check import check_directories

ROWS = 64
_STORED = 0  # of zlib: what is only to be unfiltered need not be packed again
_AT_ONCE = 1 << 22  # bytes of rows
_LARGEST_PART = (
    1 << 28
)  # bytes of a strip or a tile; a file of larger ones is decoded whole, in a process apart
_PNG_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by colour type


@dataclass(frozen=True)
class RowFile:
    """A picture file that is read by rows.

    Args:
        height, width, channels, bits: of its pixels; 1 to 4 channels, 8 or 16 bits.
        about: a picture of one pixel with what the file says of its own.
        whole: whether its format is decoded whole, so that all pixels are in memory at once.
        bands: begins to read, from the top: (h, width, channels) each.
        band_bytes: what the largest of them takes, and all that is unpacked for it.
    """

    height: int
    width: int
    channels: int
    bits: int
    about: Picture
    whole: bool
    bands: Callable[[], Iterator[Pixels]]
    band_bytes: int = 0

    @property
    def held(self) -> int:
        """Bytes of pixels in memory while it is read."""
        return self.height * self.width * BYTES_A_PIXEL if self.whole else 0


def read_rows(path: Path, max_pixels: int) -> RowFile:
    """Look into a file; its pixels are read when they are asked for.

    By rows are read TIFF files of one page in gray or RGB of 8 or 16 bits, plain or packed by deflate, and
    PNG files of 8 or 16 bits that have no palette, stand upright and are neither interlaced nor animated. All
    others are decoded whole.

    Args:
        path: of the file; all pictures in it but the first are passed over.
        max_pixels: the most that are read.

    Raises:
        ImageReadError: it cannot be read; also while it is read.
        ImageTooLargeError: it has more pixels.
    """
    found = rows_of(path)
    if found is not None and found.height * found.width <= max_pixels:
        return found
    picture = read_image(path, max_pixels=max_pixels)

    def bands() -> Iterator[Pixels]:
        for top in range(0, picture.height, ROWS):
            yield picture.pixels[top : top + ROWS]

    about = picture.with_pixels(picture.pixels[:1, :1])
    size = picture.height, picture.width, picture.channels, picture.bits
    return RowFile(*size, about, True, bands)


def rows_of(path: Path) -> RowFile | None:
    """A file that is read by rows; None for all others.

    What a stranger sends is better read by `Reader.read_rows`, which has TIFF files unpacked in another
    process, as it does when they are decoded whole.

    Raises:
        MissingCodecError: tifffile is not installed.
    """
    for attempt in (_tiff_rows, _png_rows):
        try:
            found = attempt(path)
        except MissingCodecError:
            raise
        except Exception:
            found = None  # who decodes it whole says what is wrong
        if found is not None:
            return found
    return None


def _tiff_rows(path: Path) -> RowFile | None:
    """None where it is no TIFF file, or of a kind that is decoded whole."""
    with path.open("rb") as file:
        if file.read(2) not in (b"II", b"MM"):
            return None
    tifffile = codec("tifffile", "TIFF files")
    with _mapped(path) as data:
        check_directories(data)
        with tifffile.TiffFile(path) as opened:
            page = opened.pages[0]
            if len(opened.pages) != 1 or not is_plain_in_rows(page):
                return None
            # what is unpacked at once: a tile may be larger than the picture says
            part = (
                page.tilelength * page.tilewidth
                if page.is_tiled
                else min(page.rowsperstrip, page.imagelength) * page.imagewidth
            )
            if part * BYTES_A_PIXEL > _LARGEST_PART:
                return None
            across = ceil_div(page.imagewidth, page.tilewidth) if page.is_tiled else 1
            kind = np.uint8 if page.bitspersample == 8 else np.uint16
            one = np.zeros((1, 1, int(page.samplesperpixel)), kind)
            about = upright(described(page, one, bytes_of(page.tags.valueof(ICC_PROFILE)), data), 1)
            size = int(page.imagelength), int(page.imagewidth), one.shape[2], about.bits
    return RowFile(*size, about, False, lambda: _tiff_bands(path), int(across * part * one.nbytes))


def _dtype(page: Any) -> Any:
    return np.dtype(np.uint8 if page.bitspersample == 8 else np.uint16)


def _tiff_bands(path: Path) -> Iterator[Pixels]:
    """A row of tiles, or a strip, at a time.

    Raises:
        ImageReadError: the file is damaged.
    """
    try:
        yield from _decoded(path)
    except (EsrganError, OSError, MemoryError):
        raise
    except Exception as error:  # decoders raise errors of their own
        raise ImageReadError(f"{path} is a damaged TIFF file: {error}") from error


def _decoded(path: Path) -> Iterator[Pixels]:
    with codec("tifffile", "TIFF files").TiffFile(path) as opened:
        page: Any = opened.pages[0]
        across = ceil_div(page.imagewidth, page.tilewidth) if page.is_tiled else 1
        dtype = _dtype(page)
        row: list[Pixels] = []
        top = 0
        for number, (data, _, _) in enumerate(page.segments(maxworkers=1, buffersize=_AT_ONCE)):
            if data is None or not page.databytecounts[number]:
                raise ImageReadError(f"{path} ends too early: it is truncated")
            # (depth, rows, columns, channels); tiles reach beyond the picture
            row.append(data[0, : page.imagelength - top])
            if len(row) == across:
                yield np.concatenate(row, axis=1)[:, : page.imagewidth].astype(dtype, copy=False)
                top += len(row[0])
                row = []


def _png_rows(path: Path) -> RowFile | None:
    """None where it is no PNG file, or of a kind that is decoded whole."""
    with path.open("rb") as file:
        if file.read(8) != SIGNATURE:
            return None
    with _mapped(path) as data:
        stored = PngFile(data)
        names = {name for name, _ in stored.chunks}
        depth, colour_type, interlaced = stored.header[8], stored.header[9], stored.header[12]
        # a palette's and a key's rows are not what is unfiltered
        if depth < 8 or colour_type == 3 or interlaced or names & {b"acTL", b"tRNS"}:
            return None
        metadata = PngMetadata(stored.chunks)
    if take_orientation(metadata.exif)[0] != 1:
        return None
    channels = _PNG_CHANNELS[colour_type]
    one = np.zeros((1, 1, channels), np.uint8 if depth == 8 else np.uint16)
    texts, profile = metadata.texts, metadata.profile(channels)
    about = upright(
        Picture(one, profile, metadata.exif, metadata.xmp, metadata.iptc, texts, metadata.density)
    )
    size = stored.height, stored.width, channels, depth
    return RowFile(
        *size, about, False, lambda: _png_bands(path, channels), max(_AT_ONCE, stored.width * one.nbytes)
    )


@contextmanager
def _mapped(path: Path) -> Generator[Any]:
    """A file's bytes, of which what is looked at is read.

    They stay mapped as long as anything looks at them.
    """
    with path.open("rb") as file:
        yield mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _png_bands(path: Path, channels: int) -> Iterator[Pixels]:
    """Rows are unpacked here, and unfiltered by the decoder, as a small file of their own.

    A row may be filtered by the one above, so that stands in front of them, unfiltered.
    """
    with _mapped(path) as data:
        stored = PngFile(data)
        row_bytes = stored.width * channels * stored.header[8] // 8
        above = bytes(row_bytes)
        left = stored.height
        for rows in _unpacked(stored, 1 + row_bytes):
            count = min(len(rows) // (1 + row_bytes), left)
            if count == 0:
                break
            header = struct.pack(">II", stored.width, count + 1) + stored.header[8:]
            small = zlib.compress(b"".join((b"\0", above, rows[: count * (1 + row_bytes)])), _STORED)
            pixels = stored.decode(header, [small])[1:]
            above = pixels[-1].astype(pixels.dtype.newbyteorder(">")).tobytes()
            left -= count
            yield pixels
    if left:
        raise ImageReadError(f"{path} ends too early: {left} of its rows are missing")


def _unpacked(stored: PngFile, row: int) -> Iterator[bytes]:
    """Filtered rows of so many bytes, some megabytes at once and whole rows alone."""
    unpacker, held, wanted = zlib.decompressobj(), bytearray(), max(_AT_ONCE // row, 1) * row
    for name, payload in stored.chunks:
        if name != b"IDAT":
            continue
        packed: bytes | memoryview = payload
        while packed:
            held += unpacker.decompress(packed, wanted)
            packed = unpacker.unconsumed_tail
            whole = len(held) // row * row
            if whole >= wanted:
                yield bytes(held[:whole])
                del held[:whole]
    held += unpacker.flush()
    yield bytes(held[: len(held) // row * row])
