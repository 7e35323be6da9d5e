"""Every kind of file that Pillow decodes."""

import io
import struct
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    DdsImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    PpmImagePlugin,
    QoiImagePlugin,
    TgaImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from esrgan_torch.errors import ImageReadError, ImageTooLargeError
from esrgan_torch.images.colour import profile_of_cicp
from esrgan_torch.images.frames import animation, single
from esrgan_torch.images.levels import density_of
from esrgan_torch.images.limits import check_size
from esrgan_torch.images.metadata import upright
from esrgan_torch.images.picture import Frame, Frames, Picture, Pixels

# The classes are called directly, not through Image.open, which compares the size with a limit of its own
# that is global to the process and warns.
_CLASSES: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "TGA": TgaImagePlugin.TgaImageFile,
    "DDS": DdsImagePlugin.DdsImageFile,
    "QOI": QoiImagePlugin.QoiImageFile,
    "ICO": IcoImagePlugin.IcoImageFile,
    "PNM": PpmImagePlugin.PpmImageFile,
}
_CHANNELS = 4  # at most, of 8 bits each
_BAND = 1 << 20  # pixels that are handed over at a time


def decode_by_pillow(kind: str, data: bytes, max_pixels: int) -> Frames:
    """What a whole file holds; errors as in `esrgan_torch.images.decode.decode`."""
    with _opened(kind, data, max_pixels) as image:
        count = int(getattr(image, "n_frames", 1)) if kind in _PLAYS else 1
        plays = _PLAYS[kind](image) if count > 1 else 0
        memory = image.height * image.width * _CHANNELS

    def picture() -> Picture:
        with _opened(kind, data, max_pixels) as image:
            pixels, icc_profile = _pixels(image)
            check_size(
                pixels.shape[0], pixels.shape[1], max_pixels
            )  # an icon's directory may say less than is there
            return described(image, pixels, _profile(kind, data, icc_profile, pixels))

    def frames() -> Iterator[Frame]:
        with _opened(kind, data, max_pixels) as image:
            height, width = image.height, image.width
            for number in range(count):
                image.seek(number)
                check_size(image.height, image.width, max_pixels)  # for Pillow, a GIF grows with its frames
                load(image)
                # a GIF's frames come in several modes
                pixels = np.asarray(
                    image.convert("LA" if image.mode in ("L", "LA") and kind != "GIF" else "RGBA")
                )
                seconds = float(image.info.get("duration", 0)) / 1000
                pixels = pixels[:height, :width]
                profile = _profile(kind, data, image.info.get("icc_profile"), pixels)
                yield Frame(described(image, pixels, profile), seconds)

    return single(picture, memory) if count == 1 else animation(count, plays, frames, memory)


def tiff_page_by_pillow(data: bytes, number: int, max_pixels: int) -> tuple[Pixels, bytes | None]:
    """Pixels, upright, and ICC profile of a TIFF file's directory of this number."""
    with _opened("TIFF", data, max_pixels) as image:
        image.seek(number)
        return _pixels(image)


# how often an animation is played, 0 for ever. A GIF says how often it is repeated after the first time,
# nothing for never; what AVIF says is not known through Pillow.
_AVIF_HEADER = 1 << 16
_PLAYS: dict[str, Callable[[Image.Image], int]] = {
    "GIF": lambda image: (image.info["loop"] and image.info["loop"] + 1) if "loop" in image.info else 1,
    "WebP": lambda image: image.info.get("loop", 0),
    "AVIF": lambda _: 0,
}


@contextmanager
def _opened(kind: str, data: bytes, max_pixels: int) -> Generator[ImageFile.ImageFile]:
    if kind == "WebP":  # whose class allocates the whole canvas when it opens a file
        check_size(*_webp_size(data), max_pixels)
    try:
        with _CLASSES[kind](io.BytesIO(data)) as image:
            check_size(image.height, image.width, max_pixels)
            yield image
    except Image.DecompressionBombError as error:
        limit = Image.MAX_IMAGE_PIXELS or 0
        raise ImageTooLargeError(
            f"a frame of it is larger than the limit of {max_pixels / 1e6:,.1f} million pixels; if you trust "
            "the file, pass a larger max_pixels"
            if limit >= max_pixels
            else f"it has more pixels than twice PIL.Image.MAX_IMAGE_PIXELS, {limit}, which this program has "
            f"set lower than the limit here; if you trust the file, set it to {max_pixels}"
        ) from error


def _pixels(image: ImageFile.ImageFile) -> tuple[Pixels, bytes | None]:
    """Pixels (H, W, C) of 8 bits, and ICC profile."""
    load(image)
    icc_profile: bytes | None = image.info.get("icc_profile")
    if image.mode == "CMYK":
        return in_bands(image, "RGB", _cmyk_to_rgb(icc_profile)), None
    if image.mode == "LAB":  # a profile would be of L*a*b*
        icc_profile = None
    return in_bands(image, plain_mode(image)), icc_profile


def in_bands(
    image: Image.Image, mode: str, converted: Callable[[Image.Image], Image.Image] | None = None
) -> Pixels:
    """The pixels (H, W, C) of a decoded image in another mode, made a band of rows at a time.

    Pillow holds 4 bytes a pixel of colour; converting the whole, and handing it over, each take as much.

    Args:
        mode: L, LA, RGB or RGBA.
        converted: how a band becomes that; None: by `convert`.
    """
    pixels = np.empty((image.height, image.width, len(mode)), np.uint8)
    # what Pillow refuses to make at once, by a setting of the program's, it refuses of a band too
    rows = max(1, min(_BAND, Image.MAX_IMAGE_PIXELS or _BAND) // image.width)
    for top in range(0, image.height, rows):
        below = min(top + rows, image.height)
        band = image.crop((0, top, image.width, below)) if rows < image.height else image
        band = band.convert(mode) if converted is None else converted(band)
        pixels[top:below] = np.asarray(band).reshape(below - top, image.width, len(mode))
    return pixels


def _profile(kind: str, data: bytes, icc_profile: bytes | None, pixels: Pixels) -> bytes | None:
    """The ICC profile, or for AVIF one of the numbers of H.273 in its place, which Pillow ignores."""
    if kind != "AVIF" or icc_profile is not None:
        return icc_profile
    at = data.find(b"colrnclx", 0, _AVIF_HEADER)  # a box: 16 bits each for primaries, transfer, matrix
    if at < 0 or at + 12 > len(data):
        return None
    primaries, transfer = struct.unpack_from(">HH", data, at + 8)
    if (primaries, transfer) == (1, 13) or max(primaries, transfer) > 255:
        return None
    return profile_of_cicp(bytes((primaries, transfer, 0, 1)), pixels.shape[2])


def described(image: Image.Image, pixels: Pixels, icc_profile: bytes | None) -> Picture:
    """The picture of these pixels, upright, with all that the image says beside them."""
    info = cast(dict[str, Any], image.info)
    comment = info.get("comment")
    if isinstance(comment, bytes):
        comment = _decoded(comment)
    density = info.get("dpi")
    xmp = info.get("xmp")
    resources = info.get("photoshop")  # by numbers
    return upright(
        Picture(
            pixels,
            icc_profile,
            info.get("exif"),
            xmp.encode() if isinstance(xmp, str) else xmp,
            cast(dict[int, bytes], resources).get(0x0404) if isinstance(resources, dict) else None,
            (("Comment", comment),) if comment else (),
            density_of(*map(float, density)) if density else None,
        )
    )


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


def load(image: ImageFile.ImageFile) -> None:
    """Decode; a large picture that `max_pixels` allows must not draw a warning from Pillow's own limit."""
    if Image.MAX_IMAGE_PIXELS is None or image.width * image.height <= Image.MAX_IMAGE_PIXELS:
        image.load()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image.load()


def plain_mode(image: Image.Image) -> str:
    """The mode among L, LA, RGB, RGBA that keeps what the picture has."""
    if image.mode in ("1", "L", "LA"):
        colours = "L"
    elif image.mode in ("P", "PA", "RGB", "RGBX", "RGBA", "YCbCr", "LAB"):
        colours = "RGB"
    else:
        raise ImageReadError(f"its pixels are of Pillow's mode {image.mode}; convert it to RGB or gray")
    return colours + "A" if image.has_transparency_data else colours


def _cmyk_to_rgb(icc_profile: bytes | None) -> Callable[[Image.Image], Image.Image] | None:
    """To sRGB through the embedded profile; None, Pillow's plain formula, where there is none."""
    if icc_profile is None:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        target = ImageCms.ImageCmsProfile(cast(Any, ImageCms.createProfile("sRGB")))
        transform = ImageCms.buildTransform(source, target, "CMYK", "RGB")
    except (ImageCms.PyCMSError, OSError) as error:
        warnings.warn(f"the CMYK profile is damaged ({error}); converted to RGB without it", stacklevel=2)
        return None

    def converted(band: Image.Image) -> Image.Image:
        result = ImageCms.applyTransform(band, transform)
        assert result is not None  # only a conversion in place returns None
        return result

    return converted


def _webp_size(data: bytes) -> tuple[int, int]:
    """(height, width) of the canvas (RFC 9649, section 2)."""
    chunk = data[12:16]
    if chunk == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif chunk == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, 21)
        width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    elif chunk == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        raise ImageReadError(f"a WebP file begins with VP8, VP8L or VP8X, not {chunk!r}: it is damaged")
    return height, width
