"""How pictures are read and written."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from esrgan_cli.upscaling.finish import Finish
from esrgan_torch.errors import ConfigError, ImageWriteError
from esrgan_torch.images.encode import Format, choose_format
from esrgan_torch.images.picture import Picture


@dataclass(frozen=True)
class FileOptions:
    """Options for all pictures of a run; see `read_image` and `write_image`.

    Args:
        same: each result has its source's format, and what loses nothing ignores `quality`.
        stdin: what was read from there, if it is the input.
        stdout: where a result goes that has no name.
    """

    max_pixels: int
    format: str | None = None
    quality: int | None = None
    lossless: bool = False
    same: bool = False
    stdin: bytes = b""
    stdout: BinaryIO | None = None

    def coding(self, suffix: str) -> "Coding":
        """How a result whose name ends in `suffix` is coded.

        Raises:
            ConfigError: its format does not have the options.
        """
        quality = self.quality
        if self.same and choose_format(suffix, None, None, False).quality is None:
            quality = None
        name = None if self.same else self.format
        return Coding(choose_format(suffix, name, quality, self.lossless), quality, self.lossless)


@dataclass(frozen=True)
class Coding:
    """The format of one result, and its options."""

    form: Format
    quality: int | None
    lossless: bool

    def check(self, original: Picture, scale: float, finish: Finish, *, drops_alpha: bool) -> None:
        """Raise, before the work is done, what would be raised after it.

        Raises:
            ConfigError: transparency that the format cannot keep, or a size that cannot be.
            ImageWriteError: the result is too large for the format.
        """
        transparent = original.has_alpha and not drops_alpha and finish.background is None
        if transparent and not self.form.alpha:
            raise ConfigError(
                f"the picture has transparency, which {self.form.name} cannot keep; give --format png, "
                "--background white, or --alpha drop"
            )
        side = max(finish.sides(original, scale))
        if side > self.form.max_side:
            raise ImageWriteError(
                f"the result would be {side} pixels long, and {self.form.name} ends at {self.form.max_side}; "
                "give --format png or tiff"
            )


def told(path: Path) -> str:
    """What to call the source of a job: its path, or stdin."""
    return "stdin" if path == Path("-") else str(path)
