"""PNG files of 8 and 16 bits a channel.

Pillow codes the pixels of 8 bits, imagecodecs (libpng) those of 16, which Pillow reduces to 8. Neither sees
the chunks of metadata: they are read and inserted here. (PNG Specification, Third Edition, W3C 2025.)
"""

import io
import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, PngImagePlugin

from esrgan_torch.images.optional import codec
from esrgan_torch.images.picture import Picture, Pixels
from esrgan_torch.images.pillow import in_bands, load, plain_mode
from esrgan_torch.images.png_metadata import metadata_chunks, warn_of_chunk

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_SIDE = 1_000_000  # libpng's own limit, unless it is built otherwise
HEADER_END = 33  # signature, then IHDR: length, name, 13 bytes, checksum
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"fcTL", b"fdAT")
_NEED = "PNG files of 16 bits"
_COMPRESSION = 4  # within 3 % of the size at level 6 on photos, in a third of the time

Chunk = tuple[bytes, bytes | memoryview]


def png_size(data: bytes) -> tuple[int, int]:
    """(height, width) as the header says; ValueError if there is no header."""
    if data[12:16] != b"IHDR" or len(data) < HEADER_END:
        raise ValueError("its header is missing")
    width, height = struct.unpack_from(">II", data, 16)
    return height, width


class PngFile:
    """A whole PNG file in memory, its chunks found and its pixels not yet decoded.

    Attributes: header (13 bytes of IHDR); height, width; pixel_bytes, that a pixel takes at most; chunks, in
    their order.

    Raises:
        ValueError: the file is damaged or ends too early.
    """

    def __init__(self, data: bytes) -> None:
        self.height, self.width = png_size(data)
        self.header = data[16:29]
        self.pixel_bytes = 8 if self.header[8] == 16 else 4
        self.chunks: list[Chunk] = list(read_chunks(data))

    def pixels(self) -> Pixels:
        """Decode the picture, as in `decode`."""
        return self.decode(self.header, [payload for name, payload in self.chunks if name == b"IDAT"])

    def decode(self, header: bytes, coded: Sequence[bytes | memoryview]) -> Pixels:
        """Decode pixels (H, W, C) that are stored as the payloads of IDAT, with this file's palette.

        Gray of 1, 2 and 4 bits becomes 8 bits, a palette becomes RGB; a transparent colour or a palette with
        transparency gives an alpha channel. 16 bits stay 16.

        Args:
            header: 13 bytes of IHDR: this file's, maybe with another size.

        Raises:
            ValueError, OSError, RuntimeError, SyntaxError: the data is damaged or ends too early.
            MissingCodecError: 16 bits, and imagecodecs is not installed.
        """
        depth, colour_type = header[8], header[9]
        # metadata stays away from the decoders: where it is damaged, the pixels are fine
        parts = [SIGNATURE, chunk(b"IHDR", header)]
        for name, payload in self.chunks:
            if name == b"PLTE":
                parts.append(chunk(name, payload))
            elif name == b"tRNS":
                key = bytes(payload)
                parts.append(chunk(name, _scaled_key(key, depth) if colour_type == 0 else key))
        parts.extend(chunk(b"IDAT", payload) for payload in coded)
        parts.append(chunk(b"IEND", b""))
        data = b"".join(parts)
        pixels = codec("imagecodecs", _NEED).png_decode(data) if depth == 16 else _decode_8(data)
        return pixels[:, :, None] if pixels.ndim == 2 else pixels


def encode_png(picture: Picture) -> bytes:
    """The whole file. The picture's ICC profile, if any, must fit its channels.

    Raises:
        MissingCodecError: 16 bits, and imagecodecs is not installed.
    """
    data = encode_pixels(picture.pixels)
    return b"".join((data[:HEADER_END], coded_metadata(picture), data[HEADER_END:]))


def encode_pixels(pixels: Pixels) -> bytes:
    """A whole PNG file of pixels (H, W, C), without metadata. Errors as in `encode_png`."""
    pixels = np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    if pixels.dtype == np.uint16:
        return bytes(codec("imagecodecs", _NEED).png_encode(pixels, level=_COMPRESSION))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=_COMPRESSION)
    return stream.getvalue()


def coded_metadata(picture: Picture) -> bytes:
    """The chunks, to stand behind IHDR, of what a picture has beside its pixels."""
    return b"".join(chunk(name, payload) for name, payload in metadata_chunks(picture))


def read_chunks(data: bytes) -> Iterator[Chunk]:
    """Name and payload of each chunk up to IEND. A damaged one that the pixels do not need is warned of.

    Raises:
        ValueError: IEND is missing, or a chunk that the pixels need has another checksum than it says.
    """
    view = memoryview(data)
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(data):
            break
        if name == b"IEND":
            return
        whole = zlib.crc32(view[at + 4 : end]) == int.from_bytes(view[end : end + 4], "big")
        if not whole and name in _CRITICAL:
            raise ValueError(f"the checksum of its chunk {name.decode()} is wrong")
        if whole:
            yield name, view[at + 8 : end]
        else:
            warn_of_chunk(name)
        at = end + 4
    raise ValueError("the file ends too early: it is truncated")


def chunk(name: bytes, payload: bytes | memoryview) -> bytes:
    """A chunk as it stands in a file: length, name, payload, checksum."""
    checksum = zlib.crc32(payload, zlib.crc32(name))
    return b"".join((struct.pack(">I", len(payload)), name, payload, struct.pack(">I", checksum)))


def _decode_8(data: bytes) -> Pixels:
    with PngImagePlugin.PngImageFile(io.BytesIO(data)) as image:
        load(image)
        return in_bands(image, plain_mode(image))


def _scaled_key(payload: bytes, depth: int) -> bytes:
    """The transparent gray of 1, 2 or 4 bits as one of 8: Pillow scales the pixels to 8 bits, not the key."""
    if depth >= 8 or len(payload) < 2:
        return payload
    return struct.pack(">H", payload[1] * (255 // ((1 << depth) - 1)))
