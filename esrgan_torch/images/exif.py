"""EXIF blocks and XMP packets: what they say of the picture's place and size, changed where it stands.

Re-coding a block would move what maker notes point to. (CIPA DC-008, Exif 3.0; Adobe XMP Specification,
part 2.)
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

ORIENTATION = 0x0112
EXIF_IFD = 0x8769
GPS_IFD = 0x8825
INTEROPERABILITY_IFD = 0xA005
JPEG_PREFIX = b"Exif\0\0"
_WIDTHS, _HEIGHTS = (0x0100, 0xA002), (0x0101, 0xA003)  # of the picture itself, and of EXIF's own directory
_THUMBNAIL, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_SHORT, _LONG = 3, 4
_XMP_WIDTHS = ("tiff:ImageWidth", "exif:PixelXDimension")
_XMP_HEIGHTS = ("tiff:ImageLength", "exif:PixelYDimension")


@dataclass(frozen=True)
class _Entry:
    """A tag: its number, type, and where in the block it stands."""

    tag: int
    kind: int
    place: int


class _Block:
    """An EXIF block that can be changed. Raises struct.error where it cannot be parsed."""

    def __init__(self, exif: bytes) -> None:
        self.data = bytearray(exif)
        self._order = {b"II*\0": "<", b"MM\0*": ">"}[bytes(exif[:4])]
        self.main = self.unpack("I", 4)

    def unpack(self, kind: str, place: int) -> int:
        return struct.unpack_from(self._order + kind, self.data, place)[0]

    def pack(self, kind: str, place: int, value: int) -> None:
        struct.pack_into(self._order + kind, self.data, place, value)

    def entries(self, directory: int) -> Iterator[_Entry]:
        for place in range(directory + 2, self.link(directory), 12):
            yield _Entry(self.unpack("H", place), self.unpack("H", place + 2), place)

    def link(self, directory: int) -> int:
        """Where the offset of the directory after this one stands."""
        return directory + 2 + 12 * self.unpack("H", directory)

    def value(self, directory: int, tag: int) -> int | None:
        """A single SHORT or LONG."""
        for entry in self.entries(directory):
            if entry.tag == tag and entry.kind in (_SHORT, _LONG):
                return self.unpack("H" if entry.kind == _SHORT else "I", entry.place + 8)
        return None

    def put(self, directory: int, tags: tuple[int, ...], value: int) -> None:
        """Give those of the tags that are there another value, as SHORT where it fits and they were."""
        for entry in self.entries(directory):
            if entry.tag in tags and entry.kind in (_SHORT, _LONG):
                kind = _SHORT if entry.kind == _SHORT and value < 1 << 16 else _LONG
                self.pack("H", entry.place + 2, kind)
                self.pack("I", entry.place + 8, 0)
                self.pack("H" if kind == _SHORT else "I", entry.place + 8, value)

    def directories(self) -> Iterator[int]:
        """The picture's directory, and the thumbnail's if there is one."""
        yield self.main
        if self.link(self.main) + 4 <= len(self.data) and (second := self.unpack("I", self.link(self.main))):
            yield second


def take_orientation(exif: bytes | None) -> tuple[int, bytes | None]:
    """Split an EXIF block into its orientation (1 to 8) and the same block with the orientation set to 1.

    The thumbnail's orientation becomes 1 too. A block that cannot be parsed is dropped, (1, None): no
    reader could use it.

    Args:
        exif: from the byte order mark on, or with JPEG's "Exif" marker before it.
    """
    if exif is None:
        return 1, None
    try:
        block = _Block(exif.removeprefix(JPEG_PREFIX))
        orientation = block.value(block.main, ORIENTATION) or 1
        block.put(block.main, (ORIENTATION,), 1)
    except (struct.error, KeyError):
        return 1, None
    try:
        for directory in block.directories():
            block.put(directory, (ORIENTATION,), 1)
    except struct.error:
        pass  # a damaged thumbnail's directory
    return (orientation if 1 <= orientation <= 8 else 1), bytes(block.data)


def without_orientation(exif: bytes) -> bytes:
    """The block without that tag in its first directory, for those who would write the block anew for it."""
    try:
        block = _Block(exif)
        end = block.link(block.main)
        place = next(entry.place for entry in block.entries(block.main) if entry.tag == ORIENTATION)
    except (struct.error, KeyError, StopIteration):
        return exif
    # those behind it, and the link to the next directory, move up; what they point to stays
    moved = block.data[place + 12 : end + 4]
    block.data[place : place + len(moved)] = moved
    block.pack("H", block.main, block.unpack("H", block.main) - 1)
    return bytes(block.data)


def exif_as_written(exif: bytes | None, height: int, width: int) -> bytes | None:
    """The block for a picture of this size: sizes put right where it gives some, the thumbnail removed.

    A thumbnail of the picture before would show what is not there any more.
    """
    if exif is None:
        return None
    try:
        block = _Block(exif)
        own = block.value(block.main, EXIF_IFD)
        for directory in (block.main, *((own,) if own else ())):
            block.put(directory, _WIDTHS, width)
            block.put(directory, _HEIGHTS, height)
        _remove_thumbnail(block)
    except (struct.error, KeyError):
        return exif
    return bytes(block.data)


def is_adobe_rgb(exif: bytes | None) -> bool:
    """Whether EXIF says Adobe RGB, as cameras do without an ICC profile (DCF 2.0: "R03")."""
    try:
        block = _Block(exif or b"")
        own = block.value(block.main, EXIF_IFD)
        if not own or block.value(own, 0xA001) not in (2, 0xFFFF):  # ColorSpace: 2 by some, or uncalibrated
            return False
        if block.value(own, 0xA001) == 2:
            return True
        interoperability = block.value(own, INTEROPERABILITY_IFD)
        return bool(interoperability) and any(
            entry.tag == 1 and block.data.startswith(b"R03", entry.place + 8)
            for entry in block.entries(interoperability or 0)
        )
    except (struct.error, KeyError):
        return False


def xmp_upright(xmp: bytes | None) -> bytes | None:
    """The packet with the orientation 1 where it gives one."""
    return None if xmp is None else _with_value(xmp, "tiff:Orientation", 1)


def xmp_as_written(xmp: bytes | None, height: int, width: int) -> bytes | None:
    """The packet for a picture of this size: sizes put right where it gives some."""
    if xmp is None:
        return None
    for names, value in ((_XMP_WIDTHS, width), (_XMP_HEIGHTS, height)):
        for name in names:
            xmp = _with_value(xmp, name, value)
    return xmp


def _with_value(xmp: bytes, name: str, value: int) -> bytes:
    """The packet with another number for a property, as attribute or element."""
    key, number = re.escape(name.encode()), str(value).encode()
    xmp = re.sub(rb"(\b" + key + rb"\s*=\s*[\"'])\s*\d+\s*(?=[\"'])", rb"\g<1>" + number, xmp)
    return re.sub(rb"(<" + key + rb"(?:\s[^>]*)?>)\s*\d+\s*(?=</)", rb"\g<1>" + number, xmp)


def _remove_thumbnail(block: _Block) -> None:
    first, *others = block.directories()
    if not others:
        return
    start, length = (block.value(others[0], tag) for tag in (_THUMBNAIL, _THUMBNAIL_LENGTH))
    block.pack("I", block.link(first), 0)
    if start and length and start + length <= len(block.data):
        if start + length == len(block.data):
            del block.data[start:]
        else:
            block.data[start : start + length] = bytes(length)
