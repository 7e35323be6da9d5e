"""How large results shall be: so many times, or so many pixels wide, high, or at most both."""

import re
from dataclasses import dataclass

from esrgan_torch.errors import ConfigError
from esrgan_torch.upscaler import LARGEST_SCALE


@dataclass(frozen=True)
class TargetSize:
    """Pixels that a result shall have; the proportions stay. With both, it fits into the box.

    Raises:
        ConfigError: below one pixel, or above a million.
    """

    width: int | None = None
    height: int | None = None

    def __post_init__(self) -> None:
        for side in (self.width, self.height):
            if side is not None and not 1 <= side <= 1_000_000:
                raise ConfigError(f"a result is 1 to 1000000 pixels wide and high, not {side}")

    @property
    def ending(self) -> str:
        """What names of results end in: -w1920, -h1080, -1920x1080."""
        if self.width is not None and self.height is not None:
            return f"-{self.width}x{self.height}"
        return f"-w{self.width}" if self.width is not None else f"-h{self.height}"

    def of(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) of the result of a picture of height x width pixels.

        Raises:
            ConfigError: it would be enlarged more than `LARGEST_SCALE` times.
        """
        wishes = [
            wished / given
            for wished, given in ((self.width, width), (self.height, height))
            if wished is not None
        ]
        scale = min(wishes)
        if scale > LARGEST_SCALE:
            raise ConfigError(
                f"it is {width} x {height} pixels, and would be enlarged {scale:.0f} times; {LARGEST_SCALE} "
                "times is the most: ask for fewer pixels"
            )
        return max(round(height * scale), 1), max(round(width * scale), 1)


def parse_size(width: int | None, height: int | None, fit: str | None) -> TargetSize | None:
    """What --width, --height and --fit mean, of which at most one is given; None for none.

    Raises:
        ConfigError: a size that cannot be.
    """
    if fit is not None:
        found = re.fullmatch(r"(\d{1,9})[xX](\d{1,9})", fit)
        if found is None:
            raise ConfigError(f"--fit must be a width and a height, such as 1920x1080, not {fit!r}")
        return TargetSize(int(found[1]), int(found[2]))
    return TargetSize(width, height) if width is not None or height is not None else None
