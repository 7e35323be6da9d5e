"""How a picture is cut: integers only, no pixels. `tests/golden/tile_plans.json` holds this rule for every
language the project is written in.

A picture is cut into equal tiles (sizes differ by at most one step), never into full ones and a sliver.
Each tile has a core, the part that it answers for, and a window around it, the part that is read; cores
cover the picture exactly once, windows end at the picture's border.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from esrgan_torch.errors import ConfigError

TilingMode = Literal["auto", "exact", "overlap", "off"]
MINIMUM_SIZE = 16


@dataclass(frozen=True)
class Tiling:
    """What may be done to fit a picture into memory.

    Args:
        mode:
            "auto": exact where the memory that is free allows it, else overlapping tiles, said in the result;
            "exact": equal to the untiled result or refused;
            "overlap": overlapping tiles of the whole network, cross-faded;
            "off": the whole picture at once, in trunk and tail alike.
        size: height and width of a tile's core in input pixels; None: by the memory that is free.
        overlap: input pixels that a window reaches beyond its core on every side ("overlap" alone);
            None: what was measured for the network, see docs/tiling.md.

    Raises:
        ConfigError: an unknown mode, a size under 16 or a negative overlap.
    """

    mode: TilingMode = "auto"
    size: int | None = None
    overlap: int | None = None

    def __post_init__(self) -> None:
        if self.mode not in ("auto", "exact", "overlap", "off"):
            raise ConfigError(f"tiling is auto, exact, overlap or off, not {self.mode!r}")
        if self.size is not None and self.size < MINIMUM_SIZE:
            raise ConfigError(f"a tile has at least {MINIMUM_SIZE} pixels a side, not {self.size}")
        if self.overlap is not None and self.overlap < 0:
            raise ConfigError(f"the overlap counts input pixels from 0 up, given {self.overlap}")
        if self.overlap is not None and self.mode != "overlap":
            raise ConfigError(f"an overlap goes with overlapping tiles, not with tiling {self.mode!r}")


def as_tiling(given: Tiling | int | TilingMode) -> Tiling:
    """What a mode's name means, or the size of tiles; errors as of `Tiling`."""
    if isinstance(given, Tiling):
        return given
    return Tiling("auto", given) if isinstance(given, int) else Tiling(given)


@dataclass(frozen=True)
class Tile:
    """One tile: the core at (top, left) with its height and width, and the window around it."""

    top: int
    left: int
    height: int
    width: int
    window_top: int
    window_left: int
    window_height: int
    window_width: int

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def right(self) -> int:
        return self.left + self.width


def plan_tiles(height: int, width: int, size: int, overlap: int, multiple: int = 1) -> list[Tile]:
    """Cut a picture of height x width pixels; row by row from the top left.

    Args:
        height, width: of the picture, multiples of `multiple`.
        size: largest height and width of a core.
        overlap: how far a window reaches beyond its core, where the picture goes on.
        multiple: every edge of cores and windows is a multiple of it.

    Raises:
        ConfigError: a size that `multiple` does not divide, or that is not positive.
    """
    if height < 1 or width < 1 or size < multiple or overlap < 0:
        raise ConfigError(f"cannot cut {height}x{width} pixels into tiles of {size} with overlap {overlap}")
    if height % multiple or width % multiple:
        raise ConfigError(f"{height}x{width} pixels are not a multiple of {multiple}")
    rows = _cut(height, size, multiple)
    columns = _cut(width, size, multiple)
    reach = -(-overlap // multiple) * multiple
    return [
        make_tile(top, left, bottom - top, right - left, height, width, reach)
        for top, bottom in rows
        for left, right in columns
    ]


def make_tile(
    top: int, left: int, height: int, width: int, total_height: int, total_width: int, overlap: int
) -> Tile:
    """The tile with this core, its window cut off at the border of total_height x total_width pixels."""
    window_top = max(top - overlap, 0)
    window_left = max(left - overlap, 0)
    window_bottom = min(top + height + overlap, total_height)
    window_right = min(left + width + overlap, total_width)
    return Tile(
        top,
        left,
        height,
        width,
        window_top,
        window_left,
        window_bottom - window_top,
        window_right - window_left,
    )


def _cut(length: int, size: int, multiple: int) -> list[tuple[int, int]]:
    """Fewest parts of at most `size`, as equal as multiples allow: (start, end) of each."""
    units = length // multiple
    parts = -(-units // (size // multiple))
    edges = [part * units // parts * multiple for part in range(parts + 1)]
    return list(pairwise(edges))
