"""How pictures are read and written."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from esrgan_torch.images.formats import Coding, EncodeOptions, find_format


@dataclass(frozen=True)
class FileOptions:
    """Options for all pictures of a run; see `read_image` and `EncodeOptions`.

    Args:
        same: each result has its source's format, and what loses nothing ignores `quality`.
        stdin: what was read from there, if it is the input.
        stdout: where a result goes that has no name.
    """

    max_pixels: int
    encode: EncodeOptions = field(default_factory=EncodeOptions)
    same: bool = False
    stdin: bytes = b""
    stdout: BinaryIO | None = None

    def coding(self, suffix: str) -> Coding:
        """How a result whose name ends in `suffix` is coded.

        Raises:
            ConfigError: its format does not have the options.
        """
        options = self.encode
        if self.same and find_format(suffix).quality is None:
            options = replace(options, quality=None)
        return options.coding(suffix)


@contextmanager
def pillow_limited(max_pixels: int) -> Generator[None]:
    """Pillow's own limit of pixels, which is the process's, is the one of this run."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def told(path: Path) -> str:
    """What to call the source of a job: its path, or stdin."""
    return "stdin" if path == Path("-") else str(path)
