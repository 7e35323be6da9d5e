"""Which files are films, by their first bytes."""

from esrgan_torch.films.codecs import CONTAINERS
from esrgan_torch.images.kinds import recognise

_SIGNATURES: tuple[tuple[int, bytes], ...] = (
    (4, b"ftyp"),  # MP4 and QuickTime; pictures of that family are recognised before
    (4, b"moov"),
    (4, b"mdat"),
    (4, b"wide"),
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska and WebM
    (8, b"AVI "),
    (0, b"FLV\x01"),
    (0, b"\0\0\x01\xba"),  # MPEG program stream
    (0, b"\0\0\x01\xb3"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # ASF: WMV
    (0, b"OggS"),
    (0, b"YUV4MPEG2 "),
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01"),  # MXF
)
_OLD = (".asf", ".avi", ".flv", ".m2v", ".mpeg", ".mpg", ".vob", ".wmv")
_STREAMS = (".264", ".265", ".h264", ".h265", ".hevc", ".m2ts", ".mts", ".ts")
FILM_SUFFIXES = frozenset((*_OLD, *_STREAMS, *CONTAINERS, ".3gp", ".mxf", ".ogv"))
"""Of names of films, in lower case."""

CODE_SUFFIXES = frozenset((".ts", ".mts"))
"""Those of them that files of TypeScript have too."""

_PACKET, _SYNC = 188, b"G"  # of an MPEG transport stream, which may have four bytes before each packet


def is_film(head: bytes, suffix: str = "") -> bool:
    """Whether a file that begins with these bytes (`HEAD` of them or all) may be a film.

    Args:
        suffix: of its name, in lower case with its dot.
    """
    if recognise(head, suffix) is not None or head[4:12] == b"ftypcrx ":
        return False
    if any(head.startswith(signature, place) for place, signature in _SIGNATURES):
        return True
    return suffix in FILM_SUFFIXES or any(
        head[start : start + 1] == _SYNC and head[start + step : start + step + 1] == _SYNC
        for start, step in ((0, _PACKET), (4, _PACKET + 4))
    )
