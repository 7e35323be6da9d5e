"""PNG files of 8 and 16 bits a channel.

Pillow codes the pixels of 8 bits, imagecodecs (libpng) those of 16, which Pillow reduces to 8. Neither sees
the chunks of metadata: they are read and inserted here. (PNG Specification, Third Edition, W3C 2025.)
"""

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, PngImagePlugin

from esrgan_torch.image_codecs import codec
from esrgan_torch.image_pillow import load, plain_mode
from esrgan_torch.picture import Picture, Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_SIDE = 1_000_000  # libpng's own limit, unless it is built otherwise
_HEADER_END = 33  # signature, then IHDR: length, name, 13 bytes, checksum
_MAX_PROFILE = 1 << 26  # no honest ICC profile unpacks to more than 64 MiB
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT")
_NEED = "PNG files of 16 bits"
_COMPRESSION = 4  # within 3 % of the size at level 6 on photos, in a third of the time


def png_size(data: bytes) -> tuple[int, int]:
    """(height, width) as the header says; ValueError if there is no header."""
    if data[12:16] != b"IHDR" or len(data) < _HEADER_END:
        raise ValueError("its header is missing")
    width, height = struct.unpack_from(">II", data, 16)
    return height, width


def decode_png(data: bytes) -> tuple[Pixels, bytes | None, bytes | None]:
    """Pixels (H, W, C), ICC profile and EXIF block of a whole PNG file.

    Gray of 1, 2 and 4 bits becomes 8 bits, a palette becomes RGB; a transparent colour or a palette with
    transparency gives an alpha channel. 16 bits stay 16.

    Raises:
        ValueError, OSError, RuntimeError, SyntaxError: the file is damaged or ends too early.
        MissingCodecError: 16 bits, and imagecodecs is not installed.
    """
    icc_profile = exif = None
    needed: list[bytes] = [SIGNATURE]  # what the decoder is to see: damaged metadata must not stop it
    depth, colour_type = data[24], data[25]
    for name, payload in _chunks(data):
        if name == b"iCCP":
            icc_profile = _unpack_profile(payload)
        elif name == b"eXIf":
            exif = payload
        elif name == b"tRNS":
            needed.append(_chunk(name, _scaled_key(payload, depth) if colour_type == 0 else payload))
        elif name in (b"IHDR", b"PLTE", b"IDAT"):
            needed.append(_chunk(name, payload))
    needed.append(_chunk(b"IEND", b""))
    pixels = _decode_16(data) if depth == 16 else _decode_8(b"".join(needed))
    return (pixels[:, :, None] if pixels.ndim == 2 else pixels), icc_profile, exif


def encode_png(picture: Picture) -> bytes:
    """The whole file. The picture's ICC profile, if any, must fit its channels.

    Raises:
        MissingCodecError: 16 bits, and imagecodecs is not installed.
    """
    pixels = np.ascontiguousarray(picture.pixels[:, :, 0] if picture.channels == 1 else picture.pixels)
    if picture.bits == 16:
        data = bytes(codec("imagecodecs", _NEED).png_encode(pixels, level=_COMPRESSION))
    else:
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG", compress_level=_COMPRESSION)
        data = stream.getvalue()
    metadata = b""
    if picture.icc_profile is not None:
        metadata += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(picture.icc_profile))
    if picture.exif is not None:
        metadata += _chunk(b"eXIf", picture.exif)
    return b"".join((data[:_HEADER_END], metadata, data[_HEADER_END:]))


def _decode_8(data: bytes) -> Pixels:
    with PngImagePlugin.PngImageFile(io.BytesIO(data)) as image:
        load(image)
        return np.asarray(image.convert(plain_mode(image)))


def _decode_16(data: bytes) -> Pixels:
    return codec("imagecodecs", _NEED).png_decode(data)


def _scaled_key(payload: bytes, depth: int) -> bytes:
    """The transparent gray of 1, 2 or 4 bits as one of 8: Pillow scales the pixels to 8 bits, not the key."""
    if depth >= 8 or len(payload) < 2:
        return payload
    return struct.pack(">H", payload[1] * (255 // ((1 << depth) - 1)))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and payload of each chunk up to IEND.

    Raises:
        ValueError: IEND is missing, or a chunk that the pixels need has another checksum than it says.
    """
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(data):
            break
        if name == b"IEND":
            return
        if name in _CRITICAL and zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise ValueError(f"the checksum of its chunk {name.decode()} is wrong")
        yield name, data[at + 8 : end]
        at = end + 4
    raise ValueError("the file ends too early: it is truncated")


def _chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


def _unpack_profile(payload: bytes) -> bytes | None:
    """The profile of an iCCP chunk; None if it does not unpack, for the pixels are fine without it."""
    packed = payload.partition(b"\0")[2][1:]  # after the name: one byte that names the compression
    try:
        return zlib.decompressobj().decompress(packed, _MAX_PROFILE)
    except zlib.error:
        return None
