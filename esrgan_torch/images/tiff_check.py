"""What tifffile takes on trust: numbers of a TIFF file's directories that must be one number each.

An ImageDepth of three numbers, for one, becomes a list of billions of them there. (TIFF 6.0, Adobe 1992,
section 2; the design of BigTIFF, Aware Systems 2007.)
"""

import struct

from esrgan_torch.errors import ImageReadError

# width, height, compression, meaning of samples, samples a pixel, planes, predictor, sides of a tile, depths
_SINGLE = (256, 257, 259, 262, 277, 284, 317, 322, 323, 32997, 32998)
_BELOW = 330  # of SubIFDs: where further directories begin
_LONGEST_CHAIN = 1 << 16


def check_directories(data: bytes) -> None:
    """Look at every directory that tifffile will look at.

    Raises:
        ImageReadError: one that is damaged so that it would not be read as what it is.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    waiting = [_number(data, 8 if big else 4, order, big)]
    seen: set[int] = set()
    while waiting:
        offset = waiting.pop()
        if offset == 0 or offset in seen or len(seen) > _LONGEST_CHAIN:
            continue
        seen.add(offset)
        waiting += _checked(data, offset, order, big)


def _checked(data: bytes, offset: int, order: str, big: bool) -> list[int]:
    """Check a directory; where those begin that it leads to."""
    step, value = (20, 12) if big else (12, 8)
    try:
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, offset)
    except struct.error:
        return []
    begin = offset + (8 if big else 2)
    found: list[int] = []
    for place in range(begin, min(begin + step * count, len(data) - step + 1), step):
        tag, kind, number = struct.unpack_from(order + ("HHQ" if big else "HHI"), data, place)
        if tag in _SINGLE and number != 1:
            raise ImageReadError(f"its tag {tag} has {number} values instead of one: it is damaged")
        if tag == _BELOW and number:
            found += _offsets(data, place + value, kind, number, order, big)
    return [*found, _number(data, begin + step * count, order, big)]


def _offsets(data: bytes, place: int, kind: int, number: int, order: str, big: bool) -> list[int]:
    size = 8 if kind in (16, 17, 18) else 4
    start = place if number * size <= (8 if big else 4) else _number(data, place, order, big)
    number = min(number, max(len(data) - start, 0) // size)
    return [_number(data, start + size * each, order, size == 8) for each in range(number)]


def _number(data: bytes, place: int, order: str, long: bool) -> int:
    """0 where there is none."""
    try:
        return int(struct.unpack_from(order + ("Q" if long else "I"), data, place)[0])
    except struct.error:
        return 0
