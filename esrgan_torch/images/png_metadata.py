"""What the chunks of a PNG file say beside the pixels, read and written.

(PNG Specification, Third Edition, W3C 2025, sections 11.3.2 to 11.3.4; Adobe XMP Specification, part 3.)
"""

import struct
import warnings
import zlib
from collections.abc import Iterable

from esrgan_torch.images.colour import cicp_of, is_colour_chunk, profile_of_png, srgb_profile
from esrgan_torch.images.iptc import from_resources, to_resources
from esrgan_torch.images.levels import density_of
from esrgan_torch.images.picture import Picture

Metadata = tuple[bytes | None, bytes | None, tuple[tuple[str, str], ...], tuple[float, float] | None]

_MAX_UNPACKED = 1 << 26  # no honest profile or text unpacks to more than 64 MiB
_INCH = 0.0254
_XMP = "XML:com.adobe.xmp"
_IPTC = "Raw profile type iptc"
_LONG_TEXT = 1024
_COLOUR = (b"cICP", b"sRGB", b"gAMA", b"cHRM")
_READ = (*_COLOUR, b"iCCP", b"eXIf", b"pHYs", b"tEXt", b"zTXt", b"iTXt")


class PngMetadata:
    """Attributes as of `Picture`: exif (orientation not yet applied), xmp, iptc, texts, density; `profile`.

    Chunks that are damaged are left out with a warning: the pixels are fine without them.
    """

    def __init__(self, chunks: Iterable[tuple[bytes, bytes | memoryview]]) -> None:
        self.exif: bytes | None = None
        self.xmp: bytes | None = None
        self.iptc: bytes | None = None
        self.density: tuple[float, float] | None = None
        texts: list[tuple[str, str]] = []
        self._icc_profile: bytes | None = None
        self._colour: dict[bytes, bytes] = {}
        for name, payload in chunks:
            data = bytes(payload) if name in _READ else b""
            if name == b"eXIf":
                self.exif = data
            elif name == b"iCCP":
                self._icc_profile = _inflate(data.partition(b"\0")[2][1:])
                if self._icc_profile is None:
                    warn_of_chunk(name)
            elif name in _COLOUR:
                if is_colour_chunk(name, data):
                    self._colour[name] = data
                else:
                    warn_of_chunk(name)
            elif name == b"pHYs" and len(data) == 9 and data[8] == 1:
                across, down, _ = struct.unpack(">IIB", data)
                self.density = density_of(across * _INCH, down * _INCH)
            elif name in (b"tEXt", b"zTXt", b"iTXt"):
                if (text := _read_text(name, data)) is not None:
                    texts.append(text)
                else:
                    warn_of_chunk(name)
        for key, text in texts:
            if key == _XMP:
                self.xmp = text.encode()
            elif key == _IPTC:
                self.iptc = _iptc_from_text(text)
        # Thumb:: is of the file that a desktop's thumbnail was made of
        self.texts = tuple(
            (key, text) for key, text in texts if key not in (_XMP, _IPTC) and not key.startswith("Thumb::")
        )

    def profile(self, channels: int) -> bytes | None:
        """The ICC profile of pixels of so many channels, whichever chunks describe their colours."""
        return profile_of_png(self._colour, self._icc_profile, channels)


def metadata_chunks(picture: Picture) -> list[tuple[bytes, bytes]]:
    """Names and payloads of the chunks, to stand behind IHDR, of what a picture has beside its pixels.

    The picture's ICC profile, if any, must fit its channels.
    """
    chunks: list[tuple[bytes, bytes]] = []
    profile = picture.icc_profile
    if profile is not None and profile == srgb_profile(picture.channels):
        chunks.append((b"sRGB", b"\0"))
    elif profile is not None:
        if cicp := cicp_of(profile):
            chunks.append((b"cICP", cicp))
        chunks.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(profile)))
    if picture.density is not None:
        across, down = (round(value / _INCH) for value in picture.density)
        chunks.append((b"pHYs", struct.pack(">IIB", across, down, 1)))
    if picture.exif is not None:
        chunks.append((b"eXIf", picture.exif))
    if picture.xmp is not None:  # not packed, so that programs find it that only look for it
        chunks.append((b"iTXt", _XMP.encode() + b"\0\0\0\0\0" + picture.xmp))
    if picture.iptc is not None:
        data = to_resources(picture.iptc)
        chunks.append(_text_chunk(_IPTC, f"\niptc\n{len(data):8}\n{data.hex()}\n"))
    chunks.extend(_text_chunk(key, text) for key, text in picture.texts if _is_keyword(key))
    return chunks


def warn_of_chunk(name: bytes) -> None:
    """Say that a chunk is damaged which the pixels do not need."""
    warnings.warn(f"its chunk {name.decode('latin-1')} is damaged; it is left out", stacklevel=3)


def _read_text(name: bytes, payload: bytes) -> tuple[str, str] | None:
    key, _, rest = payload.partition(b"\0")
    if name == b"iTXt":
        if len(rest) < 2:
            return None
        packed, rest = rest[0], rest[2:].split(b"\0", 2)[-1]
        data = _inflate(rest) if packed else rest
        return None if data is None else (key.decode("latin-1"), data.decode(errors="replace"))
    data = _inflate(rest[1:]) if name == b"zTXt" else rest
    return None if data is None else (key.decode("latin-1"), data.decode("latin-1"))


def _text_chunk(key: str, text: str) -> tuple[bytes, bytes]:
    head = key.encode("latin-1") + b"\0"
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        return b"iTXt", head + b"\0\0\0\0" + text.encode()
    if len(data) > _LONG_TEXT:
        return b"zTXt", head + b"\0" + zlib.compress(data)
    return b"tEXt", head + data


def _is_keyword(key: str) -> bool:
    """Whether PNG allows it as one: 1 to 79 printable characters of Latin-1, without spaces around."""
    return 0 < len(key) < 80 and key == key.strip() and all(" " <= c <= "~" or "¡" <= c <= "ÿ" for c in key)


def _iptc_from_text(text: str) -> bytes | None:
    """ImageMagick's form: a name, a length, then hexadecimal digits in lines."""
    parts = text.split(None, 2)
    try:
        return from_resources(bytes.fromhex(parts[2]))
    except (IndexError, ValueError):
        return None


def _inflate(packed: bytes) -> bytes | None:
    """Unpacked; None if it is damaged or unpacks to more than is honest."""
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(packed, _MAX_UNPACKED)
    except zlib.error:
        return None
    return data if unpacker.eof else None
