"""TIFF files: gray and RGB of 8 and 16 bits by tifffile, the rarer kinds by Pillow."""

import io
import struct
from collections.abc import Iterable, Iterator
from typing import Any, cast

import numpy as np
from PIL import TiffImagePlugin

from esrgan_torch.errors import ImageReadError, ImageWriteError
from esrgan_torch.images.exif import ORIENTATION
from esrgan_torch.images.kinds import RAW
from esrgan_torch.images.levels import density_of, from_floats
from esrgan_torch.images.metadata import exif_of_tiff, tiff_tags
from esrgan_torch.images.optional import codec
from esrgan_torch.images.picture import Picture, Pixels

_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB = 0, 1, 2  # values of PhotometricInterpretation
_PREMULTIPLIED, _STRAIGHT = 1, 2  # values of ExtraSamples; 0 is anything but alpha
_ICC_PROFILE, _XMP, _IPTC = 34675, 700, 33723
_DNG_VERSION, _SENSOR = 50706, (32803, 34892)  # a colour filter array, and linear
_RESOLUTIONS, _UNIT = (282, 283), 296
_INCHES = {2: 1.0, 3: 2.54}  # of ResolutionUnit: the inch and the centimetre, as so many in an inch
_PLAIN_CODES = (1, 8, 32946)  # none and deflate, which tifffile decodes by itself
_STRIP_BYTES = 1 << 20
_MAX_FILE = (1 << 32) - 1  # offsets have 32 bits


class TiffFile:
    """The pages of a TIFF file in memory, their headers parsed and their pixels not yet decoded.

    Reduced copies of a page, thumbnails and masks, which NewSubfileType names, are no pages; what SubIFDs
    lists is not looked at.

    Attributes: pages.

    Raises:
        Exception: of whatever kind, where the file is damaged.
    """

    def __init__(self, data: bytes) -> None:
        with codec("tifffile", "TIFF files").TiffFile(io.BytesIO(data)) as file:
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

    Attributes: number, among all directories of the file; height, width; orientation (1 to 8); icc_profile;
    exif; plain: whether it is gray or RGB of 8 or 16 bits, which `pixels` can decode (Pillow decodes the
    rest), known after `check`.
    """

    def __init__(self, data: bytes, page: Any, number: int) -> None:
        self._data, self._page, self.number = data, page, number
        self.height, self.width = int(page.imagelength), int(page.imagewidth)
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
                f"its pixels are {kind} numbers of {bits} bits, whose white is anybody's guess; "
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
        self.orientation = int(page.tags.valueof(ORIENTATION, 1))
        self.icc_profile = cast("bytes | None", page.tags.valueof(_ICC_PROFILE))
        self.exif = exif_of_tiff(self._data, page.offset)

    def described(self, pixels: Pixels, icc_profile: bytes | None) -> Picture:
        """The pixels with what the page says of them."""
        tags = self._page.tags
        return Picture(
            pixels,
            icc_profile,
            self.exif,
            xmp=_bytes_of(tags.valueof(_XMP)),
            iptc=_bytes_of(tags.valueof(_IPTC)),
            density=_density(tags),
        )

    def pixels(self) -> Pixels:
        """Decode a plain page to (H, W, C), orientation not yet applied."""
        page = self._page
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            # tifffile takes a strip without bytes for black, and may do so with one that is cut off
            if count == 0 or offset + count > len(self._data):
                raise ImageReadError("the file ends too early: it is truncated")
        if page.compression not in _PLAIN_CODES:
            codec("imagecodecs", f"TIFF files of the compression {page.compression.name}")
        with codec("tifffile", "TIFF files").TiffFile(io.BytesIO(self._data)) as file:
            array = file.pages[self.number].asarray()
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


def encode_tiff(pictures: Iterable[Picture]) -> tuple[bytes, int]:
    """The whole file and the number of its pages, one for each picture.

    Deflate with horizontal prediction, in strips of about 1 MiB.

    Written here because tifffile writes no EXIF directory and Pillow no 16-bit colour. (TIFF 6.0,
    Adobe 1992; deflate: TIFF Technical Note 2002.)

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
            raise ImageWriteError("the picture passes the 4 GiB of a TIFF file; write it as png")
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
        raise ImageWriteError("the picture passes the 4 GiB of a TIFF file; write it as png")

    directory = TiffImagePlugin.ImageFileDirectory_v2(ifh=b"II*\0\0\0\0\0")
    for tag, value in (tiff_tags(picture.exif) if picture.exif is not None else {}).items():
        directory[tag] = value
    starts = [0, *np.cumsum(sizes[:-1]).tolist()]
    directory[256], directory[257] = picture.width, picture.height
    directory[258] = (picture.bits,) * picture.channels
    directory[259] = 8  # deflate
    directory[262] = _MIN_IS_BLACK if picture.channels < 3 else _RGB
    directory.tagtype[273] = directory.tagtype[279] = 4  # offsets and sizes are LONG, whatever their values
    directory[273] = tuple(starts)  # counted from the end of the directory: Pillow adds its length
    directory[277] = picture.channels
    directory[278] = rows
    directory[279] = tuple(sizes)
    directory[317] = 2  # horizontal prediction
    if picture.has_alpha:
        directory[338] = _STRAIGHT
    for tag, data in ((_ICC_PROFILE, picture.icc_profile), (_IPTC, picture.iptc), (_XMP, picture.xmp)):
        if data is not None:
            directory.tagtype[tag] = 1 if tag == _XMP else 7  # BYTE, UNDEFINED
            directory[tag] = data
    if picture.density is not None:
        for tag, value in zip(_RESOLUTIONS, picture.density, strict=True):
            directory[tag] = value
        directory[_UNIT] = 2
    described = next((text for key, text in picture.texts if key in ("Description", "Comment")), None)
    if described is not None and 270 not in directory:
        directory[270] = described.encode()
    return bytearray(directory.tobytes(offset)), strips


def _bytes_of(value: object) -> bytes | None:
    """A tag's value as bytes, which some programs write as numbers of 32 bits."""
    if isinstance(value, bytes):
        return value
    return np.asarray(value, "<u4").tobytes() if isinstance(value, tuple) else None


def _density(tags: Any) -> tuple[float, float] | None:
    """Pixels an inch, across and down."""
    inches = _INCHES.get(int(tags.valueof(_UNIT, 2)))
    values = [tags.valueof(tag) for tag in _RESOLUTIONS]
    if inches is None or any(value is None or not all(value) for value in values):
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


def _is_raw(page: Any) -> bool:
    """Whether a page, or one in its SubIFDs, holds a sensor's data, or says that the file is a DNG."""
    if page.tags.valueof(_DNG_VERSION) is not None or int(page.photometric) in _SENSOR:
        return True
    return any(int(below.photometric) in _SENSOR for below in page.pages or ())


def _is_reduced(page: Any) -> bool:
    """Whether a page is a smaller copy or a mask of another (NewSubfileType; 2 in the old SubfileType)."""
    return bool(int(page.tags.valueof(254, 0)) & 0b101) or int(page.tags.valueof(255, 1)) == 2


def _divide_by_alpha(colour: Pixels, alpha: Pixels) -> Pixels:
    """Straight colour from premultiplied; what alpha hides altogether becomes black."""
    maximum = np.iinfo(colour.dtype).max
    straight = colour * (maximum / np.maximum(alpha, 1).astype(np.float64))
    return np.clip(np.rint(straight), 0, maximum).astype(colour.dtype)
