"""Directories of tags, as TIFF files and EXIF blocks have them, copied as they stand: no value is understood.

So a value of a type that its tag should not have, as files of many programs hold, is carried like any other.
(TIFF 6.0, Adobe 1992, section 2; the design of BigTIFF, Aware Systems 2007; CIPA DC-008, Exif 3.0, section
4.6.)
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

SHORT, LONG, RATIONAL, UNDEFINED, ASCII, BYTE, LONG8 = 3, 4, 5, 7, 2, 1, 16
# by type: bytes of a value, and bytes of the numbers that it is made of
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_UNITS = {5: 4, 10: 4}


@dataclass(frozen=True)
class Layout:
    """How directories are stored.

    Args:
        number, place: of entries and of bytes, as `struct` has them.
        step: bytes of an entry.
        inline: bytes of values that stand in the entry itself, and of a place.
    """

    number: str
    place: str
    step: int
    inline: int

    @property
    def head(self) -> int:
        """Bytes before the first entry."""
        return struct.calcsize(self.number)


CLASSIC = Layout("H", "I", 12, 4)
BIG = Layout("Q", "Q", 20, 8)


@dataclass(frozen=True)
class Entry:
    """A tag's value: its type, how many, and its bytes, the low one of a number first."""

    kind: int
    count: int
    value: bytes


Directory = Mapping[int, "Entry | Directory"]
"""Entries by their tags; under the tag that points to another directory, that one."""


def shorts(*values: int) -> Entry:
    """Numbers of 16 bits."""
    return Entry(SHORT, len(values), struct.pack(f"<{len(values)}H", *values))


def longs(*values: int) -> Entry:
    """Numbers of 32 bits."""
    return Entry(LONG, len(values), struct.pack(f"<{len(values)}I", *values))


def places(*values: int) -> Entry:
    """Numbers of 64 bits, which BigTIFF alone has."""
    return Entry(LONG8, len(values), struct.pack(f"<{len(values)}Q", *values))


def fraction(numerator: int, denominator: int) -> Entry:
    """One number as a fraction."""
    return Entry(RATIONAL, 1, struct.pack("<2I", numerator, denominator))


def raw(kind: int, value: bytes) -> Entry:
    """Bytes or text (`UNDEFINED`, `BYTE`, `ASCII`)."""
    return Entry(kind, len(value), value)


def read_directory(
    data: bytes | memoryview,
    offset: int,
    order: str,
    pointers: Mapping[int, Iterable[int]],
    layout: Layout = CLASSIC,
) -> dict[int, Entry | Directory]:
    """The directory that begins at an offset; an entry that lies outside the data, or is of no known type, is
    passed over, and so is what stands in many places at once.

    Args:
        order: "<" or ">", as numbers are stored.
        pointers: tags that point to further directories, each with those that do so there.
        layout: of these directories.

    Raises:
        struct.error: it does not begin within the data.
    """
    room = len(data)
    tried: set[int] = set()
    found: dict[int, Entry | Directory] = {}
    (count,) = struct.unpack_from(order + layout.number, data, offset)
    begin, step = offset + layout.head, layout.step
    for place in range(begin, min(begin + step * count, len(data) - step + 1), step):
        tag, kind, number = struct.unpack_from(f"{order}HH{layout.place}", data, place)
        at = place + step - layout.inline
        size = _SIZES.get(kind, 0) * number
        if tag in tried:
            continue
        tried.add(tag)
        if tag in pointers:
            try:
                # a place may be shorter than it could be
                start = struct.unpack_from(order + ("Q" if _SIZES.get(kind) == 8 else "I"), data, at)[0]
                below = read_directory(data, start, order, dict.fromkeys(pointers[tag], ()), layout)
            except (struct.error, OverflowError):
                below = {}
            if below:
                found[tag] = below
            continue
        room -= size
        if size > layout.inline:
            (at,) = struct.unpack_from(order + layout.place, data, at)
        if size == 0 or at + size > len(data) or room < 0:
            continue
        found[tag] = Entry(kind, number, _swapped(bytes(data[at : at + size]), kind, order))
    return found


def write_directory(
    directory: Directory, offset: int, order: str = "<", layout: Layout = CLASSIC
) -> bytearray:
    """A directory to stand at an offset, its values and further directories behind it, and no other after it.

    Args:
        order: "<" or ">", as numbers are to be stored.
        layout: of this directory; what `CLASSIC` cannot hold is left out.
    """
    entries = {tag: entry for tag, entry in directory.items() if layout is BIG or not _is_big(entry)}
    head = bytearray(struct.pack(order + layout.number, len(entries)))
    body = bytearray()
    begin = offset + layout.head + layout.step * len(entries) + layout.inline
    for tag, entry in sorted(entries.items(), key=lambda item: item[0]):
        place = begin + len(body)
        if not isinstance(entry, Entry):
            kind = LONG if layout is CLASSIC else LONG8
            head += struct.pack(f"{order}HH{layout.place}{layout.place}", tag, kind, 1, place)
            body += write_directory(entry, place, order, layout)
        else:
            value = _swapped(entry.value, entry.kind, order)
            head += struct.pack(f"{order}HH{layout.place}", tag, entry.kind, entry.count)
            if len(value) <= layout.inline:
                head += value.ljust(layout.inline, b"\0")
            else:
                head += struct.pack(order + layout.place, place)
                body += value
        body += b"\0" * (len(body) % 2)  # values begin at even places
    return head + struct.pack(order + layout.place, 0) + body


def _is_big(entry: "Entry | Directory") -> bool:
    return isinstance(entry, Entry) and entry.kind >= LONG8


def _swapped(value: bytes, kind: int, order: str) -> bytes:
    """Bytes of numbers in one order from those in the other, which is the same either way."""
    unit = _UNITS.get(kind, _SIZES[kind])
    if order == "<" or unit == 1:
        return value
    return np.frombuffer(value, f"<u{unit}").byteswap().tobytes()
