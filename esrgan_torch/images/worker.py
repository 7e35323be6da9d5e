"""The process in which files of strangers are decoded: one file at a time, for `esrgan_torch.images.reader`.

Messages are `{"open": kind, "max_pixels": n, "path": path}`, without a path with the file's content, then
`{"first": true}` for the picture that stands for all, and `{"frame": n}` for each frame in turn. Answers name
an error's class and text, or give a picture: facts as JSON, pixels and metadata as blocks. What libraries
have to say goes with them. With `"rows": true` a file is opened to be read by rows: frames are bands of it,
and the picture that stands for all is of one pixel, with its metadata.
"""

import io
import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from esrgan_torch.images.decode import decode
from esrgan_torch.images.picture import Frame, Frames, Picture
from esrgan_torch.images.read_rows import rows_of
from esrgan_torch.images.wire import Block, Bytes, Wire

_SPARE = (1 << 28) + (os.cpu_count() or 1) * (1 << 24)  # bytes: tables and threads, whatever the picture is
_COPIES = 8  # of the pixels: what a decoder and this project hold of them at the worst moment
_MOST_SAID = 8  # lines about one file
_LONGEST_SAID = 300
_METADATA = ("icc_profile", "exif", "xmp", "iptc")


def serve(wire: Wire) -> None:
    """Answer until the other side hangs up."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the process that asks, which then ends this one
    said = _Said()
    sys.stdout = sys.stderr = said
    logging.basicConfig(stream=said, format="%(message)s")
    warnings.simplefilter("always")
    warnings.showwarning = said.warn
    file = _File()
    wire.send({"ready": True})
    while True:
        try:
            request, blocks = wire.receive()
        except (EOFError, OSError):
            return
        try:
            answer, parts = file.answer(request, blocks)
        except Exception as error:  # whatever a damaged file makes decoders raise
            answer, parts = {"error": type(error).__name__, "text": str(error)}, []
        del blocks
        wire.send({**answer, "said": said.taken()}, parts)


class _File:
    """What is open."""

    def __init__(self) -> None:
        self._frames: Frames | None = None
        self._way: Iterator[Frame] | None = None
        self._next = 0

    def answer(self, request: dict[str, Any], blocks: list[Bytes]) -> tuple[dict[str, Any], list[Block]]:
        if request.get("rows"):
            return self._open_rows(Path(request["path"])), []
        if "open" in request:
            self._frames = self._way = None
            try:
                data = Path(request["path"]).read_bytes() if request["path"] else blocks[0].tobytes()
            except OSError as error:  # it was there a moment ago
                return {"error": "unreadable", "text": error.strerror or str(error)}, []
            _bound_memory(len(data))
            # Pillow's own limit, by which it also bounds what only it knows of
            Image.MAX_IMAGE_PIXELS = int(request["max_pixels"])
            self._frames = decode(request["open"], data, int(request["max_pixels"]))
            _bound_memory(self._frames.memory)
            frames = self._frames
            facts = {name: getattr(frames, name) for name in ("count", "timed", "loop", "memory")}
            return facts, []
        frames = self._frames
        assert frames is not None
        if "first" in request:
            return _facts(Frame(frames.first()))
        number = int(request["frame"])
        if self._way is None or number < self._next:
            self._way, self._next = iter(frames), 0
        frame: Frame | None = None
        while self._next <= number:
            frame = next(self._way, None)
            self._next += 1
        return _facts(frame) if frame is not None else ({"end": True}, [])

    def _open_rows(self, path: Path) -> dict[str, Any]:
        self._frames = self._way = None
        _bound_memory(0)
        file = rows_of(path)
        if file is None:
            return {"rows": None}
        _bound_memory(file.band_bytes)

        def bands() -> Iterator[Frame]:
            return (Frame(Picture(band)) for band in file.bands())

        self._frames = Frames(0, timed=False, loop=0, first=lambda: file.about, decode=bands)
        return {"rows": [file.height, file.width, file.channels, file.bits]}


def _facts(frame: Frame) -> tuple[dict[str, Any], list[Block]]:
    picture = frame.picture
    there = [name for name in _METADATA if getattr(picture, name) is not None]
    facts = {
        "shape": picture.pixels.shape,
        "bits": picture.bits,
        "texts": picture.texts,
        "density": picture.density,
        "frames": picture.frames,
        "seconds": frame.seconds,
        "metadata": there,
    }
    return facts, [picture.pixels, *(getattr(picture, name) for name in there)]


def frame_of(facts: dict[str, Any], blocks: list[Bytes]) -> Frame:
    """The frame that an answer describes; its pixels are the block's memory.

    Raises:
        ValueError, KeyError, TypeError, ConfigError: it describes none.
    """
    pixels = blocks[0].view(np.uint16 if facts["bits"] == 16 else np.uint8).reshape(facts["shape"])
    metadata = {name: block.tobytes() for name, block in zip(facts["metadata"], blocks[1:], strict=True)}
    texts = tuple((str(key), str(text)) for key, text in facts["texts"])
    density = facts["density"] and (float(facts["density"][0]), float(facts["density"][1]))
    picture = Picture(
        pixels,
        metadata.get("icc_profile"),
        metadata.get("exif"),
        metadata.get("xmp"),
        metadata.get("iptc"),
        texts,
        density,
        int(facts["frames"]),
    )
    return Frame(picture, facts["seconds"])


def _bound_memory(picture: int) -> None:
    """Let the process take a few times that many bytes from here on: a decoder that asks for more is refused.

    Linux alone has such a limit that counts what is used, not what is only reserved.
    """
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    except (ImportError, OSError):
        return
    limit = pages * os.sysconf("SC_PAGE_SIZE") + _SPARE + picture * _COPIES
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most != resource.RLIM_INFINITY:
        limit = min(limit, most)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, most))


class _Said(io.TextIOBase):
    """Takes the place of the streams: lines that libraries print, log and warn with, each once, and few."""

    def __init__(self) -> None:
        self._lines: dict[str, None] = {}
        self._begun = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text[: 2 * _LONGEST_SAID * _MOST_SAID]).split("\n")
        self._begun = self._begun[:_LONGEST_SAID]
        for line in lines:
            self._note(line)
        return len(text)

    def warn(self, message: Warning | str, *_: object, **__: object) -> None:
        self._note(str(message))

    def taken(self) -> list[str]:
        lines = list(self._lines)
        self._lines.clear()
        return lines

    def _note(self, line: str) -> None:
        if line.strip() and len(self._lines) < _MOST_SAID:
            self._lines[line.strip()[:_LONGEST_SAID]] = None
