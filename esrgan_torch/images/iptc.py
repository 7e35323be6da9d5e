"""IPTC-IIM records within Photoshop's image resources, as JPEG and PNG files carry them.

(Adobe Photoshop File Formats Specification, "Image Resource Blocks".)
"""

import struct

_IPTC = 0x0404
_MARKER = b"8BIM"
JPEG_HEAD = b"Photoshop 3.0\0"


def to_resources(iptc: bytes) -> bytes:
    """Image resources that hold the records alone."""
    return _MARKER + struct.pack(">HHI", _IPTC, 0, len(iptc)) + iptc + b"\0" * (len(iptc) % 2)


def from_resources(data: bytes) -> bytes | None:
    """The records in image resources; data without any is taken for records themselves. None if damaged."""
    data = data.removeprefix(JPEG_HEAD)
    if data[:1] == b"\x1c":  # how a record begins
        return data
    at = 0
    while data[at : at + 4] == _MARKER and at + 12 <= len(data):
        (number,) = struct.unpack_from(">H", data, at + 4)
        name = data[at + 6] + 1
        at += 6 + name + name % 2
        if at + 4 > len(data):
            break
        (length,) = struct.unpack_from(">I", data, at)
        if number == _IPTC:
            return data[at + 4 : at + 4 + length]
        at += 4 + length + length % 2
    return None


def jpeg_segment(iptc: bytes) -> bytes:
    """The APP13 segment of a JPEG file; raises ValueError if the records are too long for one segment."""
    payload = JPEG_HEAD + to_resources(iptc)
    if len(payload) > 65_533:
        raise ValueError(f"IPTC records of {len(iptc)} bytes do not fit in a JPEG segment")
    return b"\xff\xed" + struct.pack(">H", len(payload) + 2) + payload
