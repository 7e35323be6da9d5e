"""Raw frames, YUV4MPEG2, followed byte by byte: FFmpeg takes a last frame that is cut off for the end."""

import re
from typing import BinaryIO

from esrgan_torch.arithmetic import ceil_div
from esrgan_torch.errors import FilmReadError

_MAGIC = b"YUV4MPEG2 "
_LONGEST_HEADER, _LONGEST_LINE = 4096, 256  # bytes of the film's first line, and of a frame's
_LONGEST_NUMBER = 20  # digits of a side, and letters of a colour space
_AT_ONCE = 1 << 20
# pixels to a sample of chroma, across and down
_CHROMA = {"420": (2, 2), "422": (2, 1), "444": (1, 1), "411": (4, 1), "440": (1, 2)}
_SPACE = re.compile(r"(420)(?:jpeg|mpeg2|paldv)|(420|422|444|411|440)(?:p(\d+))?|(444)alpha|mono(\d*)")


class RawFrames:
    """Counts the frames of a film whose bytes it is fed with; those of any other film it passes over.

    Attributes:
        whole: how many have come.
    """

    def __init__(self) -> None:
        self.whole = 0
        self._line = bytearray()  # the beginning of a line
        self._size: int | None = None  # of a frame, once the header has told it
        self._left = 0  # bytes of the frame that is coming
        self._known = True

    def feed(self, data: bytes | memoryview) -> None:
        """The next bytes."""
        at, view = 0, memoryview(data)
        while self._known and at < len(view):
            if self._left:
                taken = min(self._left, len(view) - at)
                self._left, at = self._left - taken, at + taken
                self.whole += not self._left
                continue
            most = _LONGEST_HEADER if self._size is None else _LONGEST_LINE
            part = bytes(view[at : at + most])
            end = part.find(b"\n") + 1
            self._line += part[:end] if end else part
            at += end or len(part)
            if end:
                self._ended(bytes(self._line))
                self._line.clear()
            elif len(self._line) > most:
                self._known = False

    def check(self, name: str) -> None:
        """The film is at its end.

        Raises:
            FilmReadError: in the middle of a frame.
        """
        if self._known and self._size is not None and (self._left or self._line):
            raise FilmReadError(
                f"{name} is cut off: it ends in the middle of a frame, after {self.whole:,} whole "
                f"frame{'s' * (self.whole != 1)}; send it again"
            )

    def _ended(self, line: bytes) -> None:
        """A line has come."""
        if self._size is None:
            self._size = frame_bytes(line)
            self._known = self._size is not None
        else:  # what is no frame is told by FFmpeg
            self._left, self._known = self._size, line.startswith(b"FRAME")


def frame_bytes(header: bytes) -> int | None:
    """Bytes of a frame's samples, by the first line of the film; None where it is none, or of another kind.

    Source: the format as FFmpeg and mjpegtools write it, `W`, `H` and `C` of its first line.
    """
    if not header.startswith(_MAGIC):
        return None
    told = {part[:1]: part[1:] for part in header.decode("ascii", "replace").split()[1:]}
    space = _SPACE.fullmatch(told.get("C", "420"))
    width, height = told.get("W", ""), told.get("H", "")
    if space is None or not (width.isdecimal() and height.isdecimal()):
        return None
    if max(map(len, (width, height, told.get("C", "")))) > _LONGEST_NUMBER:
        return None  # FFmpeg says what is wrong with it
    return _samples(int(height), int(width), space) or None


def _samples(height: int, width: int, space: re.Match[str]) -> int:
    plain, other, depth, alpha, gray = space.groups()
    sample = ceil_div(int(depth or gray or 8), 8)
    planes = height * width * (2 if alpha else 1)
    chroma = plain or other or alpha
    if chroma:
        across, down = _CHROMA[chroma]
        planes += 2 * ceil_div(width, across) * ceil_div(height, down)
    return planes * sample


class FollowedPipe:
    """A file that can only be read on, as PyAV takes it; what is read is counted.

    Attributes: frames.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.frames = RawFrames()
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most so many."""
        data = self._file.read(size)
        self.frames.feed(data)
        return data


def check_raw(file: BinaryIO, name: str) -> None:
    """Go through raw frames from the file's present place to its end; nothing for other films.

    Raises:
        FilmReadError: they end in the middle of a frame.
    """
    frames = RawFrames()
    head = file.read(len(_MAGIC))
    if head != _MAGIC:
        return
    frames.feed(head)
    while data := file.read(_AT_ONCE):
        frames.feed(data)
    frames.check(name)
