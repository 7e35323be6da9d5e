"""How pictures are read and written, and what is checked before the work is done."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from esrgan_cli.upscaling.finish import Finish
from esrgan_torch.errors import ConfigError, ImageWriteError
from esrgan_torch.images.formats import Coding, EncodeOptions, Format, find_format
from esrgan_torch.images.picture import Picture


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


def check_fits(original: Picture, scale: float, finish: Finish, form: Format, *, drops_alpha: bool) -> None:
    """Raise, before the work is done, what would be raised after it.

    Raises:
        ConfigError: transparency that the format cannot keep, or a size that cannot be.
        ImageWriteError: the result is too large for the format.
    """
    transparent = original.has_alpha and not drops_alpha and finish.background is None
    if transparent and not form.alpha:
        raise ConfigError(
            f"the picture has transparency, which {form.name} cannot keep; give --format png, "
            "--background white, or --alpha drop"
        )
    side = max(finish.sides(original, scale))
    if side > form.max_side:
        raise ImageWriteError(
            f"the result would be {side} pixels long, and {form.name} ends at {form.max_side}; "
            "give --format png or tiff"
        )


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
