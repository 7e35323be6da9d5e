"""How a picture is cut: integers only, no pixels. `tests/golden/tile_plans.json` holds this rule for every
language the project is written in.

A picture is cut into equal tiles (sizes differ by at most one step), never into full ones and a sliver.
Each tile has a core, the part that it answers for, and a window around it, the part that is read; cores
cover the picture exactly once, windows end at the picture's border.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from esrgan_torch.arithmetic import ceil_div, round_up
from esrgan_torch.errors import ConfigError

TilingMode = Literal["auto", "exact", "overlap", "off"]
MINIMUM_SIZE = 16


@dataclass(frozen=True)
class Tiling:
    """How a picture may be cut to fit into memory.

    Args:
        mode:
            "auto": exact if the free memory allows it, else overlapping tiles; the result says which;
            "exact": equal to the untiled result, or an error;
            "overlap": overlapping tiles of the whole network, cross-faded;
            "off": the whole picture at once, in trunk and tail alike.
        size: height and width of a tile's core in input pixels; None: chosen by the free memory.
        overlap: input pixels by which a window extends beyond its core on every side (only for "overlap");
            None: the measured default of the network, see docs/tiling.md.

    Raises:
        ConfigError: an unknown mode, a size under 16 or a negative overlap.
    """

    mode: TilingMode = "auto"
    size: int | None = None
    overlap: int | None = None

    def __post_init__(self) -> None:
        if self.mode not in ("auto", "exact", "overlap", "off"):
            raise ConfigError(f"tiling must be auto, exact, overlap or off, not {self.mode!r}")
        if self.size is not None and self.size < MINIMUM_SIZE:
            raise ConfigError(f"a tile has at least {MINIMUM_SIZE} pixels a side, not {self.size}")
        if self.overlap is not None and self.overlap < 0:
            raise ConfigError(f"overlap must be a number of input pixels, 0 or more, not {self.overlap}")
        if self.overlap is not None and self.mode != "overlap":
            raise ConfigError(f"an overlap needs overlapping tiles, not tiling {self.mode!r}")


def as_tiling(given: Tiling | int | TilingMode) -> Tiling:
    """What a mode's name means, or the size of tiles; errors as of `Tiling`."""
    if isinstance(given, Tiling):
        return given
    return Tiling("auto", given) if isinstance(given, int) else Tiling(given)


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels that begins at (top, left)."""

    top: int
    left: int
    height: int
    width: int

    @property
    def bottom(self) -> int:
        """The row after the last."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """The column after the last."""
        return self.left + self.width

    @property
    def rows(self) -> slice:
        """Of an array."""
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> slice:
        """Of an array."""
        return slice(self.left, self.right)

    def grown(self, reach: int, within: "Box") -> "Box":
        """With `reach` more pixels on every side, as far as `within` goes."""
        return Box(
            self.top - reach, self.left - reach, self.height + 2 * reach, self.width + 2 * reach
        ).cut_to(within)

    def cut_to(self, other: "Box") -> "Box":
        """What both have in common; of no height or width where that is nothing."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom, right = min(self.bottom, other.bottom), min(self.right, other.right)
        return Box(top, left, max(bottom - top, 0), max(right - left, 0))

    def is_empty(self) -> bool:
        """Whether there is no pixel in it."""
        return not self.height or not self.width

    def scaled(self, factor: int) -> "Box":
        """In pixels of a picture that is `factor` times as large."""
        return Box(self.top * factor, self.left * factor, self.height * factor, self.width * factor)

    def moved(self, down: int, right: int) -> "Box":
        """So many pixels further on."""
        return Box(self.top + down, self.left + right, self.height, self.width)


@dataclass(frozen=True)
class Tile:
    """One tile.

    Args:
        core: the pixels that it answers for.
        window: the pixels that are read for it, the core among them.
    """

    core: Box
    window: Box


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
    whole = Box(0, 0, height, width)
    reach = round_up(overlap, multiple)
    cores = [
        Box(top, left, bottom - top, right - left)
        for top, bottom in _cut(height, size, multiple)
        for left, right in _cut(width, size, multiple)
    ]
    return [Tile(core, core.grown(reach, whole)) for core in cores]


def plan_strips(height: int, width: int, count: int, overlap: int, multiple: int = 1) -> list[Tile]:
    """Cut a picture into so many strips of columns, or fewer, as high as it is; else as `plan_tiles`."""
    whole = Box(0, 0, height, width)
    size = round_up(ceil_div(width, count), multiple)
    reach = round_up(overlap, multiple)
    cores = [Box(0, left, height, right - left) for left, right in _cut(width, size, multiple)]
    return [Tile(core, core.grown(reach, whole)) for core in cores]


def _cut(length: int, size: int, multiple: int) -> list[tuple[int, int]]:
    """Fewest parts of at most `size`, as equal as multiples allow: (start, end) of each."""
    units = length // multiple
    parts = ceil_div(units, size // multiple)
    edges = [part * units // parts * multiple for part in range(parts + 1)]
    return list(pairwise(edges))
