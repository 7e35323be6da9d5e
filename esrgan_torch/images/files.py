"""Reading and writing picture files.

| format | read | written | alpha | several | ICC profile | EXIF, XMP | else |
|---|---|---|---|---|---|---|---|
| PNG | 8, 16 bits | 8, 16 bits | yes | animation | yes | yes | density, texts, IPTC |
| TIFF | 8, 16 bits, floats 0 to 1 | 8, 16 bits | yes | pages | yes | yes | density, IPTC |
| JPEG | 8 bits | 8 bits | no | no | yes | yes | density, comment, IPTC |
| WebP | 8 bits | 8 bits | yes | animation | yes | yes | |
| AVIF | 8 bits; 10, 12 become 8 (Pillow) | 8 bits | yes | animation | yes | yes | |
| GIF | 256 colours | 256 colours a frame | 1 bit | animation | to sRGB | no | comment |
| BMP | 8 bits | 8 bits | read only | no | to sRGB | no | density |
| JPEG XL | 8, 16 bits, floats 0 to 1 | 8 bits | yes | first frame | some; to sRGB | no | |
| HEIF | 8, 10, 12 bits | no | yes | main picture | read | read | |
| PNM, PFM | 1 to 16 bits, floats 0 to 1 | no | no | no | no | no | |
| TGA, DDS, QOI, ICO | 8 bits | no | yes | no | no | no | |
"""

import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from esrgan_torch.errors import ConfigError, EsrganError, ImageReadError, ImageWriteError
from esrgan_torch.images.decode import decode
from esrgan_torch.images.encode import FramesError, encode, encode_frames
from esrgan_torch.images.formats import FORMAT_NAMES, Coding, EncodeOptions
from esrgan_torch.images.kinds import HEAD, READ_SUFFIXES, recognise, refusal
from esrgan_torch.images.picture import Frame, Frames, Picture, Pixels
from esrgan_torch.images.places import OpenSource, Source, Target, name_of, store, suffix_of

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "FORMAT_NAMES",
    "READ_SUFFIXES",
    "Frame",
    "Frames",
    "Picture",
    "Pixels",
    "check_output",
    "read_frames",
    "read_image",
    "write_coded",
    "write_frames",
    "write_image",
]

DEFAULT_MAX_PIXELS = 1 << 28
"""268 million pixels: above the largest cameras (200 million), and 0.8 GB as 8-bit RGB; decoders hold more
meanwhile, 2 GB of a JPEG, see docs/pictures.md."""


def read_image(source: Source, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Picture:
    """Read a picture file; the kind is recognised by its content, not by its name.

    Gray stays gray. Palettes, CMYK, YCbCr and L*a*b* become RGB (CMYK becomes sRGB through its ICC profile,
    if it has one). Alpha is kept, and a transparent colour becomes alpha. 16 bits stay 16: the depth is that
    of the file's data type, never guessed from the values. The EXIF orientation is applied. Of an animation,
    the first frame is read; of a file with pages, the first page that is not a thumbnail. `frames` is their
    number.

    Args:
        source: a path, the content of a file, or a file open for reading bytes. A path must be that of a
            regular file.
        max_pixels: a file whose header announces more pixels is refused before it is decoded.

    Raises:
        ImageReadError: the file is missing, not readable, empty, not a picture, truncated or damaged.
        MissingCodecError: the format needs a library that is not installed.
        ImageTooLargeError: the picture has more than `max_pixels` pixels.
        ConfigError: `max_pixels` is not positive.
    """
    return read_frames(source, max_pixels=max_pixels).first()


def read_frames(source: Source, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Frames:
    """Open a picture file to read all its frames or pages; see `Frames`. Pixels are read as by `read_image`.

    Each frame of an animation is the complete picture as a viewer shows it, even if the file stores only a
    part of it. The file's content is in memory, and the pixels of one frame at a time.

    Args and errors: as in `read_image`; iterating over the frames raises ImageReadError at a damaged frame.

    Example:
        >>> frames = read_frames("moving.gif")
        >>> larger = (Frame(upscaler(frame.picture), frame.seconds) for frame in frames)
        >>> write_frames("larger.webp", larger, loop=frames.loop)
    """
    if max_pixels < 1:
        raise ConfigError(f"max_pixels must be at least 1, not {max_pixels}")
    opened = OpenSource(source, HEAD)
    return decoded_here(opened.name, kind_of(opened), opened.read(), max_pixels)


def kind_of(opened: OpenSource) -> str:
    """The kind of a file, as `recognise` names it.

    Raises:
        ImageReadError: it is none that is read; the message says what to do.
    """
    kind = recognise(opened.head, opened.suffix)
    if kind is None:
        raise ImageReadError(f"{opened.name} {refusal(opened.head, opened.suffix)}")
    return kind


def decoded_here(name: str, kind: str, data: bytes, max_pixels: int) -> Frames:
    """A file of a known kind, decoded in this process; errors as in `read_frames`.

    Args:
        name: what messages call the file.
    """
    with named(name, kind):
        frames = decode(kind, data, max_pixels)

    def first() -> Picture:
        with named(name, kind):
            return frames.first()

    def again() -> Iterator[Frame]:
        with named(name, kind):
            yield from frames

    return replace(frames, first=first, decode=again)


def write_image(
    target: Target,
    image: Picture | Pixels,
    *,
    format: str | None = None,
    quality: int | None = None,
    lossless: bool = False,
) -> None:
    """Write a picture file, completely or not at all; if it fails, an earlier file stays unchanged.

    The ICC profile and the metadata are written if the format can hold them (a warning says what does not
    fit), with the sizes of this picture and without the old thumbnail. If the format has no profiles, colours
    become sRGB. 16 bits are rounded to 8 for all formats except png and tiff, even with `lossless`, which
    concerns only the compression. Gray becomes RGB in webp; gray with alpha becomes RGB with alpha in webp
    and avif.

    Args:
        target: a path, whose folder must exist, or a file open for writing bytes.
        image: a `Picture`, or pixels (H, W) or (H, W, C) of uint8 or uint16, C as in `Picture`.
        format, quality, lossless: how it is coded, see `esrgan_torch.images.formats.EncodeOptions`: format is
            one of FORMAT_NAMES, None to go by the suffix of the path; quality is 1 to 100 for jpg (default
            95, always 4:4:4), webp (90), avif (85) and jxl (90); lossless is for webp and jxl.

    Raises:
        ConfigError: unknown format, an option that it does not have, transparency in jpg or bmp, or an
            array that is no picture.
        ImageWriteError: too large for the format, or the folder is missing, read-only or full.
        MissingCodecError: the format needs a library that is not installed.
    """
    coding = EncodeOptions(format, quality, lossless).coding(suffix_of(target))
    if not isinstance(image, Picture):
        image = Picture(image[:, :, None] if image.ndim == 2 else image)
    with _named_in_writing(target):
        data = encode(image, coding)
    store(target, data)


def write_frames(
    target: Target,
    frames: Iterable[Frame],
    *,
    loop: int = 0,
    format: str | None = None,
    quality: int | None = None,
    lossless: bool = False,
) -> int:
    """Write an animation (png, webp, avif, gif) or pages (tiff); one frame alone as `write_image` does.

    Frames are taken one after another, and kept in memory in encoded form, not as pixels. An animation gets
    the metadata of its first frame; pages keep their own.

    Args:
        frames: of an animation, all of one size, depth and number of channels; a frame without seconds has
            the duration 0. TIFF stores no durations.
        loop: how many times the animation is played, 0 for ever. AVIF always plays for ever (a limit of
            Pillow).
        format, quality, lossless: as in `write_image`; gif has 256 colours a frame, and
            its alpha is all or nothing.

    Returns:
        How many frames were written.

    Raises:
        ConfigError: as in `write_image`; no frames, frames that differ, or a format that holds one picture.
        ImageWriteError, MissingCodecError: as in `write_image`.
        Exception: whatever `frames` raises; then nothing is written.
    """
    coding = EncodeOptions(format, quality, lossless).coding(suffix_of(target))
    if loop < 0:
        raise ConfigError(f"loop is how many times the animation is played (0: for ever), not {loop}")
    return write_coded(target, frames, loop, coding)


def write_coded(target: Target, frames: Iterable[Frame], loop: int, coding: Coding) -> int:
    """As `write_frames`, coded as was decided before."""
    try:
        with _named_in_writing(target):
            data, count = encode_frames(frames, loop, coding)
    except FramesError as error:
        raise error.__cause__ or error from None
    store(target, data)
    return count


def check_output(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    quality: int | None = None,
    lossless: bool = False,
) -> None:
    """Raise the ConfigError that `write_image` would raise for these options, before the work is done."""
    EncodeOptions(format, quality, lossless).coding(Path(path).suffix)


@contextmanager
def _named_in_writing(target: Target) -> Generator[None]:
    """Give errors of encoding the file's name."""
    try:
        yield
    except ImageWriteError as error:
        raise type(error)(f"{name_of(target)}: {error}") from error


@contextmanager
def named(name: str, kind: str) -> Generator[None]:
    """Give errors of decoding the file's name; a damaged file makes the decoders raise anything."""
    try:
        yield
    except ImageReadError as error:
        raise type(error)(f"{name}: {error}") from error
    except (EsrganError, MemoryError, Warning):
        raise
    except Exception as error:
        raise ImageReadError(f"{name} is a damaged {kind} file: {error}") from error
