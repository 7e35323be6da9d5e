"""Reading and writing picture files.

| format | read | written | alpha | ICC profile and EXIF |
|---|---|---|---|---|
| PNG | 8, 16 bits | 8, 16 bits | yes | yes |
| TIFF | 8, 16 bits | 8, 16 bits | yes | yes |
| JPEG | 8 bits | 8 bits | no | yes |
| WebP | 8 bits | 8 bits | yes | yes |
| AVIF | 8 bits; 10 and 12 are reduced to 8 (a limit of Pillow) | 8 bits | yes | yes |
| BMP | 8 bits | 8 bits | read only | no |
| GIF | the first frame | no | read only | no |
"""

import errno
import os
from pathlib import Path

from esrgan_torch.atomic import atomic_path
from esrgan_torch.errors import ConfigError, ImageReadError, ImageWriteError
from esrgan_torch.image_decode import HEAD, decode, recognise
from esrgan_torch.image_encode import FORMAT_NAMES, choose_format, encode
from esrgan_torch.picture import Picture, Pixels

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "FORMAT_NAMES",
    "READ_SUFFIXES",
    "Picture",
    "Pixels",
    "check_output",
    "read_image",
    "write_image",
]

DEFAULT_MAX_PIXELS = 1 << 28
"""268 million pixels: above the largest cameras (200 million), and 0.8 GB as 8-bit RGB."""

READ_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif", ".bmp", ".gif"),
)
"""Suffixes, in lower case, by which to look for pictures in a folder; `read_image` itself looks inside."""


def read_image(path: str | os.PathLike[str], *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Picture:
    """Read a picture file; the kind is recognised by its content, not by its name.

    Gray stays gray. Palettes, CMYK, YCbCr and L*a*b* become RGB: CMYK through its ICC profile to sRGB,
    where it has one. Alpha is kept, a transparent colour becomes alpha. 16 bits stay 16: the depth is the
    file's, never guessed from the values. The EXIF orientation is applied. Of an animation, the first
    frame is read.

    Args:
        path: the file.
        max_pixels: a file whose header announces more is refused before it is decoded.

    Raises:
        ImageReadError: missing, not readable, empty, no picture, truncated or damaged.
        ImageTooLargeError: more than `max_pixels`.
        ConfigError: `max_pixels` is not positive.
    """
    path = Path(path)
    if max_pixels < 1:
        raise ConfigError(f"max_pixels must be at least 1, not {max_pixels}")
    kind, data = _read_file(path)
    try:
        return decode(kind, data, max_pixels)
    except ImageReadError as error:
        raise type(error)(f"{path}: {error}") from error
    except MemoryError:
        raise
    except Exception as error:  # a damaged file makes the decoders raise anything
        raise ImageReadError(f"{path} is a damaged {kind} file: {error}") from error


def write_image(
    path: str | os.PathLike[str],
    image: Picture | Pixels,
    *,
    format: str | None = None,
    quality: int | None = None,
    lossless: bool = False,
) -> None:
    """Write a picture file: the whole file, or none; what was there before stays if it fails.

    The ICC profile and the EXIF block go with it where the format has room and the profile fits the
    channels. 16 bits are rounded to 8 for jpg, webp, avif and bmp, with `lossless` too: it concerns the
    coding. Gray becomes RGB in webp; gray with alpha becomes RGB with alpha in webp and avif.

    Args:
        path: the file; its folder must exist.
        image: a `Picture`, or pixels (H, W) or (H, W, C) of uint8 or uint16, C as in `Picture`.
        format: png, jpg, webp, tiff, avif or bmp; None to go by the suffix of `path`.
        quality: 1 to 100 for jpg (default 95, always 4:4:4), webp (90) and avif (85).
        lossless: for webp; png, tiff and bmp lose nothing anyway; jpg and avif cannot.

    Raises:
        ConfigError: unknown format, an option that it does not have, transparency in jpg or bmp, or an
            array that is no picture.
        ImageWriteError: too large for the format, or the folder is missing, read-only or full.
    """
    path = Path(path)
    form = choose_format(path.suffix, format, quality, lossless)
    if not isinstance(image, Picture):
        image = Picture(image[:, :, None] if image.ndim == 2 else image)
    try:
        data = encode(image, form, quality, lossless)
    except ImageWriteError as error:
        raise ImageWriteError(f"{path}: {error}") from error
    try:
        with atomic_path(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise ImageWriteError(f"cannot write {path}: {_write_cause(path, error)}") from error


def check_output(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    quality: int | None = None,
    lossless: bool = False,
) -> None:
    """Raise the ConfigError that `write_image` would raise for these options, before the work is done."""
    choose_format(Path(path).suffix, format, quality, lossless)


def _read_file(path: Path) -> tuple[str, bytes]:
    """Kind and content of a picture file. A file that is no picture is not read beyond its head."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
            kind = recognise(head)
            if kind is not None:
                return kind, head + file.read()
    except FileNotFoundError as error:
        raise ImageReadError(f"{path} does not exist") from error
    except IsADirectoryError as error:
        raise ImageReadError(f"{path} is a folder; give a picture file") from error
    except PermissionError as error:
        if path.is_dir():  # what Windows says of a folder
            raise ImageReadError(f"{path} is a folder; give a picture file") from error
        raise ImageReadError(f"{path} may not be read: permission denied") from error
    except OSError as error:
        raise ImageReadError(f"{path} cannot be read: {error.strerror or error}") from error
    if not head:
        raise ImageReadError(f"{path} is empty (0 bytes)")
    raise ImageReadError(
        f"{path} is not a picture that can be read: it begins with {head[:12]!r}; "
        "give PNG, JPEG, WebP, TIFF, AVIF, BMP or GIF"
    )


def _write_cause(path: Path, error: OSError) -> str:
    if path.is_dir():
        return "it is a folder; give a file name"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"the folder {path.parent} does not exist; create it first"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"the folder {path.parent} is read-only; choose another or change its permissions"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk that holds {path.parent} is full; free some space"
    return error.strerror or str(error)
