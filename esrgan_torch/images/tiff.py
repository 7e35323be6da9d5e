"""TIFF files read: gray and RGB of 8 and 16 bits by tifffile, the rarer kinds by Pillow."""

import io
import logging
import threading
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np

from esrgan_torch.arithmetic import ceil_div
from esrgan_torch.errors import ImageReadError
from esrgan_torch.images.exif import ORIENTATION
from esrgan_torch.images.kinds import RAW
from esrgan_torch.images.levels import density_of, from_floats
from esrgan_torch.images.metadata import exif_of_tiff
from esrgan_torch.images.optional import codec
from esrgan_torch.images.picture import Picture, Pixels
from esrgan_torch.images.tiff_check import check_directories
from esrgan_torch.images.tiff_lzw import LZW, sizes_of, unpack_lzw

_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB = 0, 1, 2  # values of PhotometricInterpretation
_PREMULTIPLIED, _STRAIGHT = 1, 2  # values of ExtraSamples; 0 is anything but alpha
ICC_PROFILE, XMP, IPTC = 34675, 700, 33723
_DNG_VERSION, _SENSOR = 50706, (32803, 34892)  # a colour filter array, and linear
RESOLUTIONS, UNIT = (282, 283), 296
_INCHES = {2: 1.0, 3: 2.54}  # of ResolutionUnit: the inch and the centimetre, as so many in an inch
_DEFLATE = 8
_PLAIN_CODES = (1, _DEFLATE, 32946)  # none and deflate, which tifffile decodes by itself
_LONGEST_REMARK = 200


@contextmanager
def opened_tiff(data: bytes) -> Generator[Any]:
    """tifffile's view of a file. What it would log, a line for each odd tag, becomes one warning."""
    tifffile = codec("tifffile", "TIFF files")
    said: dict[str, None] = {}
    thread = threading.get_ident()

    def heard(record: logging.LogRecord) -> bool:
        if record.thread != thread:
            return True
        if not said:
            said[record.getMessage()[:_LONGEST_REMARK]] = None
        return False

    log = tifffile.logger()
    log.addFilter(heard)
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            yield file
    finally:
        log.removeFilter(heard)
    for text in said:
        warnings.warn(f"odd in it, by tifffile: {text}", stacklevel=3)


class TiffFile:
    """The pages of a TIFF file in memory, their headers parsed and their pixels not yet decoded.

    Reduced copies of a page, thumbnails and masks, which NewSubfileType names, are no pages; what SubIFDs
    lists is not looked at.

    Attributes: pages.

    Raises:
        Exception: of whatever kind, where the file is damaged.
    """

    def __init__(self, data: bytes) -> None:
        check_directories(data)
        with opened_tiff(data) as file:
            directories = list(_directories(file))
            if any(_is_raw(page) for page in directories):
                raise ImageReadError(f"it {RAW}")
            found: list[Any] = [page for page in directories if getattr(page, "tags", None) is not None]
            whole = [number for number, page in enumerate(found) if not _is_reduced(page)]
            # a file of nothing but reduced pages means the largest of them
            numbers = whole or [max(range(len(found)), key=lambda number: found[number].size)]
            self.pages = [TiffPage(data, found[number], number) for number in numbers]


class TiffPage:
    """A page of a TIFF file.

    Attributes: number, among all directories of the file; height, width; memory, bytes that its pixels take
    at most; and known after `check`: orientation (1 to 8); icc_profile; plain: whether it is gray or
    RGB of 8 or 16 bits, which `pixels` can decode (Pillow decodes the rest).
    """

    def __init__(self, data: bytes, page: Any, number: int) -> None:
        self._data, self._page, self.number = data, page, number
        self.height, self.width = int(page.imagelength), int(page.imagewidth)
        self.memory = _memory(page)
        self.plain = False

    def check(self) -> None:
        """Raise what stands against the page, before its pixels are decoded.

        Raises:
            ImageReadError: a float, 32-bit or otherwise unusual picture, which has no place in 8 or 16 bits.
        """
        page = self._page
        if self.height < 1 or self.width < 1 or page.imagedepth != 1:
            raise ImageReadError(
                f"it holds a volume or nothing, of shape {page.shape}; give one flat picture"
            )
        bits, sample_format = page.bitspersample, int(page.sampleformat)
        self.floats = sample_format == 3
        if sample_format not in (1, 3, 4) or (bits > 16 and not self.floats):  # 1 unsigned, 4 undefined
            kind = {2: "signed", 5: "complex", 6: "complex"}.get(sample_format, "unsigned")
            raise ImageReadError(
                f"its pixels are {kind} numbers of {bits} bits, whose white level is not defined; "
                "convert it to unsigned 8 or 16 bits"
            )
        self.plain = (bits in (8, 16) or self.floats) and page.photometric in (
            _MIN_IS_WHITE,
            _MIN_IS_BLACK,
            _RGB,
        )
        if bits > 8 and not self.plain:
            raise ImageReadError(
                f"it is a {bits}-bit TIFF of kind {getattr(page.photometric, 'name', page.photometric)}; "
                "convert it to RGB or gray"
            )
        self.orientation = _number(page.tags, ORIENTATION, 1)
        self.icc_profile = bytes_of(page.tags.valueof(ICC_PROFILE))

    def described(self, pixels: Pixels, icc_profile: bytes | None) -> Picture:
        """The pixels with what the page says of them."""
        return described(self._page, pixels, icc_profile, self._data)

    def pixels(self) -> Pixels:
        """Decode a plain page to (H, W, C), orientation not yet applied."""
        page = self._page
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            # tifffile takes a strip without bytes for black, and may do so with one that is cut off
            if count == 0 or offset + count > len(self._data):
                raise ImageReadError("the file ends too early: it is truncated")
        if page.compression not in _PLAIN_CODES:
            codec("imagecodecs", f"TIFF files of the compression {page.compression.name}")
        array = self._array()
        if page.planarconfig == 2 and page.samplesperpixel > 1:
            array = np.moveaxis(array.reshape(page.samplesperpixel, self.height, self.width), 0, 2)
        array = array.reshape(self.height, self.width, page.samplesperpixel)
        if self.floats:
            pixels = from_floats(array)
        else:
            pixels = array.astype(np.uint8 if page.bitspersample == 8 else np.uint16, copy=False)

        colours = 3 if page.photometric == _RGB else 1
        if pixels.shape[2] < colours:
            raise ImageReadError(f"it says RGB but has {pixels.shape[2]} channels")
        colour, alpha = pixels[:, :, :colours], pixels[:, :, colours : colours + 1]
        if page.photometric == _MIN_IS_WHITE:
            colour = np.invert(colour)
        # a fourth sample that nothing describes is alpha, as Pillow takes it too
        extra = int(page.extrasamples[0]) if page.extrasamples else _STRAIGHT
        if alpha.shape[2] == 0 or extra not in (_PREMULTIPLIED, _STRAIGHT):
            return np.ascontiguousarray(colour)
        if extra == _PREMULTIPLIED:
            colour = _divide_by_alpha(colour, alpha)
        return np.concatenate([colour, alpha], axis=2)

    def _array(self) -> Any:
        page, data = self._page, self._data
        if page.compression != LZW:
            with opened_tiff(data) as file:
                return file.pages[self.number].asarray()
        unpacked = unpack_lzw(data, page)
        offsets, counts = sizes_of(page, len(unpacked))
        with opened_tiff(b"".join((data, unpacked))) as file:
            again = file.pages[self.number]
            again.compression, again.fillorder = type(page.compression)(1), type(page.fillorder)(1)
            again.dataoffsets = tuple(offset + len(data) for offset in offsets)
            again.databytecounts = counts
            # else it is read as one piece, in which tifffile does not undo the predictor of each row
            again.is_contiguous = False
            return again.asarray()


def described(page: Any, pixels: Pixels, icc_profile: bytes | None, data: bytes | memoryview) -> Picture:
    """Pixels with what a page, as tifffile has it, says of them; `data` is its file."""
    tags = page.tags
    return Picture(
        pixels,
        icc_profile,
        exif_of_tiff(data, page.offset),
        xmp=bytes_of(tags.valueof(XMP)),
        iptc=bytes_of(tags.valueof(IPTC)),
        density=density(tags),
    )


def is_plain_in_rows(page: Any) -> bool:
    """Whether a page's strips or tiles can be read one by one: plain gray or RGB, upright."""
    return (
        page.compression in _PLAIN_CODES
        and page.photometric in (_MIN_IS_BLACK, _RGB)
        and page.samplesperpixel == (3 if page.photometric == _RGB else 1)
        and page.bitspersample in (8, 16)
        and int(page.sampleformat) in (1, 4)
        and (page.planarconfig == 1 or page.samplesperpixel == 1)
        and page.imagedepth == 1
        and _number(page.tags, ORIENTATION, 1) == 1
        and not _is_raw(page)
    )


def bytes_of(value: object) -> bytes | None:
    """A tag's value as bytes, which some programs write as numbers of 32 bits; None for what is none."""
    if isinstance(value, bytes):
        return value
    numbers: np.ndarray[Any, Any] = np.asarray(cast(Any, value) if isinstance(value, tuple) else ())
    return numbers.astype("<u4").tobytes() if numbers.size and numbers.dtype.kind in "iu" else None


def _number(tags: Any, tag: int, default: int) -> int:
    """A tag's value as a whole number; the default where it is absent, or no number."""
    value = tags.valueof(tag, default)
    return int(value) if isinstance(value, int) else default


def _is_fraction(value: Any) -> bool:
    """Whether a tag's value is a numerator and a denominator, both above 0."""
    if not isinstance(value, tuple):
        return False
    parts = cast("tuple[object, ...]", value)
    return len(parts) == 2 and all(isinstance(part, int) and part > 0 for part in parts)


def density(tags: Any) -> tuple[float, float] | None:
    """Pixels an inch, across and down; None where the tags do not say it."""
    inches = _INCHES.get(_number(tags, UNIT, 2))
    values: list[Any] = [tags.valueof(tag) for tag in RESOLUTIONS]
    if inches is None or not all(_is_fraction(value) for value in values):
        return None
    across, down = (value[0] / value[1] * inches for value in values)
    return density_of(across, down)


def _directories(file: Any) -> Iterator[Any]:
    """Its directories, up to one that leads back to another: a damaged chain of them may have no end."""
    seen: set[int] = set()
    for page in file.pages:
        if page.offset in seen:
            return
        seen.add(page.offset)
        yield page


def _memory(page: Any) -> int:
    """Bytes that the samples of a page take, and those of a tile of it, by its header."""
    bits: int | tuple[int, ...] = page.bitspersample
    sample = ceil_div(max(bits) if isinstance(bits, tuple) else bits, 8)
    tile = int(page.tilelength * page.tilewidth * page.tiledepth) if page.is_tiled else 0
    pixel = max(int(page.samplesperpixel) * sample, 4)  # a palette's become colours
    return (int(page.imagelength * page.imagewidth * page.imagedepth) + tile) * pixel


def _is_raw(page: Any) -> bool:
    """Whether a page, or one in its SubIFDs, holds a sensor's data, or says that the file is a DNG."""
    if page.tags.valueof(_DNG_VERSION) is not None or int(page.photometric) in _SENSOR:
        return True
    return any(int(below.photometric) in _SENSOR for below in page.pages or ())


def _is_reduced(page: Any) -> bool:
    """Whether a page is a smaller copy or a mask of another (NewSubfileType; 2 in the old SubfileType)."""
    return bool(_number(page.tags, 254, 0) & 0b101) or _number(page.tags, 255, 1) == 2


def _divide_by_alpha(colour: Pixels, alpha: Pixels) -> Pixels:
    """Straight colour from premultiplied; what alpha hides altogether becomes black."""
    maximum = np.iinfo(colour.dtype).max
    straight = colour * (maximum / np.maximum(alpha, 1).astype(np.float64))
    return np.clip(np.rint(straight), 0, maximum).astype(colour.dtype)
