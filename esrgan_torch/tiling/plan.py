"""Which plan fits, and so how far tiles overlap: arithmetic on sizes and bytes, nothing is run or allocated.

The trunk whole, if it fits: its tail's tiles reach as far as the tail sees, 2 pixels. Else the trunk by
rows, in as few strips of columns as fit, which reach as far as the network sees (`receptive_field`). Else
windows that reach as far, where that costs little or is asked for: all exact. Else tiles with the network's
own `overlap`, or the user's. Networks that see 18 to 34 pixels set it to what they see; an RRDBNet sees 94
pixels with 6 blocks and 349 with 23, and has 48 and 96 (`networks/rrdb.py`): there the mean error of photos
is below a tenth of an 8-bit level, docs/tiling.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from esrgan_torch.arithmetic import round_up
from esrgan_torch.errors import ConfigError, OutOfMemoryError
from esrgan_torch.networks.base import Generator
from esrgan_torch.tiling.modes import Box, Tile, Tiling, plan_strips, plan_tiles

TAIL_SIZE = 128  # feature pixels: its halo of 2 then costs half a percent of the whole network's time
TAIL_SIZES = (TAIL_SIZE, 64, 32, 16)
WINDOW_SIZES = (4096, 3072, 2048, 1536, 1024, 768, 512, 384, 256, 192, 128, 96, 64, 48, 32)
CHEAP_CONTEXT = 1 / 8  # of a tile's size on every side: 1.6 times the work for an exact result unasked
LARGEST_CONTEXT = 1  # and 9 times the work where exactness is asked for
FADE = 8  # part of the overlap that is mixed: more mixes in what has less context, docs/tiling.md
FEW_TWICE = 0.1  # of the pixels computed twice: strips whose edges count little
MANY_TWICE = 1.0  # twice the work for an exact result unasked
MOST_TWICE = 4.0  # and where exactness is asked for
SHARE = 0.8  # of the memory that is free; the rest is for what an estimate cannot see


class Costs(Protocol):
    """What an engine says of its memory, see `esrgan_torch.engines.base.Engine`."""

    def trunk_bytes(self, height: int, width: int) -> int: ...
    def tail_bytes(self, height: int, width: int) -> int: ...


class RowCosts(Protocol):
    """What an engine by rows says of its memory, see `esrgan_torch.engines.choose_rows.RowEngine`."""

    def bytes(self, height: int, width: int, rows: int) -> int: ...


@dataclass(frozen=True, repr=False)
class Plan:
    """How a picture will be computed.

    Args:
        windows: tiles of the whole network in input pixels; a single one is the whole picture.
        tail_size: height and width of the tail's tiles in feature pixels; None: not cut.
        overlap: input pixels that a window reaches beyond its core; nothing where there is a single one.
        fade: input pixels on either side of a seam over which two windows are mixed; 0: a plain join.
        exact: whether the result equals the untiled one to float rounding.
        memory: estimated peak in bytes on the device.
        reason: why this plan, for people.
        by_rows: whether windows, strips of columns then, go through the trunk by rows.
    """

    windows: tuple[Tile, ...]
    tail_size: int | None
    overlap: int
    fade: int
    exact: bool
    memory: int
    reason: str
    by_rows: bool = False

    def __str__(self) -> str:
        if self.by_rows:
            strips = f"{len(self.windows)} strips of columns" if len(self.windows) > 1 else "whole picture"
            cut = f"{strips} by rows"
        elif len(self.windows) > 1:
            size = max(max(tile.core.height, tile.core.width) for tile in self.windows)
            cut = f"{len(self.windows)} tiles of {size} pixels, overlap {self.overlap}"
        else:
            cut = "whole picture"
        kind = "exact" if self.exact else "not exact"
        return f"{cut}, {kind}, about {self.memory / 2**20:,.0f} MiB ({self.reason})"

    def __repr__(self) -> str:
        return f"<Plan {self}>"


def make_plan(
    model: Generator,
    costs: Costs,
    height: int,
    width: int,
    tiling: Tiling,
    free: int,
    held: float = 0,
    rows: Callable[[], RowCosts | None] | None = None,
) -> Plan:
    """The best plan that fits.

    Args:
        model: sizes of the network: scale, unshuffle, tail_halo, receptive_field, overlap.
        costs: memory of the engine that will run it.
        height, width: of the picture in input pixels.
        tiling: what the user allows.
        free: bytes that can be allocated on the device.
        held: bytes of them that the result will take (on the CPU, where the result lives too).
        rows: the engine by rows, if there is one for this network and device; called where the trunk does
            not fit.

    Raises:
        OutOfMemoryError: nothing that `tiling` allows fits, or not even the result.
        ConfigError: a tile size smaller than the network can use.
    """
    height, width = round_up(height, model.unshuffle), round_up(width, model.unshuffle)
    planner = _Planner(model, costs, height, width, free, held)
    if held > free:  # whatever is asked for
        raise planner.too_little(planner.needed(WINDOW_SIZES[-1], WINDOW_SIZES[-1], TAIL_SIZES[-1]))
    if tiling.mode == "off":
        return planner.untiled()
    if tiling.mode == "overlap":
        return planner.overlapping(tiling.size, tiling.overlap, "as requested")
    whole = planner.whole(tiling.size)
    if whole is not None:
        return whole
    asked = tiling.mode == "exact"
    by_rows = None if rows is None else rows()
    exact = (
        planner.by_rows(by_rows, FEW_TWICE)
        or planner.exact_windows(CHEAP_CONTEXT)
        or planner.by_rows(by_rows, MOST_TWICE if asked else MANY_TWICE)
        or (planner.exact_windows(LARGEST_CONTEXT) if asked else None)
    )
    if exact is not None:
        return exact
    needed = planner.needed(height, width, TAIL_SIZES[-1]) / SHARE
    result = f" and its result {_mib(int(held))}" if held else ""
    facts = f"the trunk of {height}x{width} pixels needs {_mib(int(needed))}{result}, {_mib(free)} are free"
    if asked:
        raise OutOfMemoryError(
            f"{facts}; free memory, use a smaller picture or half precision, or allow overlapping tiles"
        )
    return planner.overlapping(None, None, facts)


class _Planner:
    def __init__(
        self, model: Generator, costs: Costs, height: int, width: int, free: int, held: float
    ) -> None:
        self.model = model
        self.costs = costs
        self.height = height
        self.width = width
        self.free = free
        self.held = int(held)
        self.budget = int(free * SHARE) - self.held

    def needed(self, height: int, width: int, tail_size: int) -> int:
        """Bytes for a window of height x width input pixels: its trunk, then one tile of the tail.

        Both are added up although they do not peak together, since allocators seldom give back at once.
        """
        fold = self.model.unshuffle
        reach = tail_size + 2 * self.model.tail_halo
        tail = self.costs.tail_bytes(min(height // fold, reach), min(width // fold, reach))
        return self.costs.trunk_bytes(height, width) + tail

    def untiled(self) -> Plan:
        fold = self.model.unshuffle
        memory = self.costs.trunk_bytes(self.height, self.width)
        memory += self.costs.tail_bytes(self.height // fold, self.width // fold)
        return Plan(self._whole(), None, 0, 0, True, memory, "tiling is off")

    def whole(self, size: int | None) -> Plan | None:
        sizes = TAIL_SIZES if size is None else (max(size // self.model.unshuffle, 1),)
        for tail_size in sizes:
            memory = self.needed(self.height, self.width, tail_size)
            if memory <= self.budget:
                reason = "trunk whole, tail in tiles"
                return Plan(self._whole(), tail_size, self.model.overlap, 0, True, memory, reason)
        return None

    def by_rows(self, costs: RowCosts | None, most_twice: float) -> Plan | None:
        """The trunk by rows, in strips of which no more than this share of the picture is computed twice."""
        if costs is None:
            return None
        fold, overlap, count = self.model.unshuffle, self.model.receptive_field, 1
        while True:
            strips = plan_strips(self.height, self.width, count, overlap, fold)
            computed = sum(strip.window.width for strip in strips)
            if computed > (1 + most_twice) * self.width or count > self.width:
                return None
            widest = max(strip.window.width for strip in strips)
            memory = costs.bytes(self.height, widest, TAIL_SIZE)
            if memory <= self.budget:
                twice = f", {computed / self.width - 1:.0%} of it twice" if count > 1 else ""
                reason = f"trunk by rows{twice}, tail in tiles"
                return Plan(
                    tuple(strips), TAIL_SIZE, overlap if count > 1 else 0, 0, True, memory, reason, True
                )
            # memory goes with the width
            count = max(count + 1, min(int(count * memory / max(self.budget, 1)), 2 * count))

    def exact_windows(self, largest_context: float) -> Plan | None:
        """Windows that reach as far as the network sees, where that is no more than this share of a tile."""
        overlap = self.model.receptive_field
        for size in WINDOW_SIZES:
            if overlap > largest_context * size:
                return None
            memory = self._window_bytes(size, overlap)
            if memory <= self.budget:
                return self._windows(size, overlap, 0, memory, "tiles that reach as far as the network sees")
        return None

    def overlapping(self, size: int | None, overlap: int | None, reason: str) -> Plan:
        fold = self.model.unshuffle
        overlap = self.model.overlap if overlap is None else overlap
        if size is not None:
            size = size // fold * fold
            if size < fold:
                raise ConfigError(f"a tile of this network has at least {fold} pixels a side")
        for candidate in WINDOW_SIZES if size is None else (size,):
            memory = self._window_bytes(candidate, overlap)
            if memory <= self.budget or size is not None:
                fade = min(overlap // FADE, candidate // 4) // fold * fold
                return self._windows(candidate, overlap, fade, memory, reason)
        raise self.too_little(self._window_bytes(WINDOW_SIZES[-1], overlap))

    def too_little(self, smallest: int) -> OutOfMemoryError:
        """What to say where the smallest tiles, of so many bytes, do not fit beside the result."""
        tiles = f"tiles of {WINDOW_SIZES[-1]} pixels need {_mib(int(smallest / SHARE))}"
        if not self.held:
            return OutOfMemoryError(
                f"even {tiles}, and only {_mib(self.free)} are free; free memory or choose another device"
            )
        height, width = (side * self.model.scale for side in (self.height, self.width))
        return OutOfMemoryError(
            f"the result of {height}x{width} pixels needs {_mib(int(self.held / SHARE))} itself, and even "
            f"{tiles} more, where {_mib(self.free)} are free; free memory, give the process or its container "
            "more, or cut the picture into parts"
        )

    def _window_bytes(self, size: int, overlap: int) -> int:
        reach = size + 2 * overlap
        return self.needed(min(self.height, reach), min(self.width, reach), TAIL_SIZE)

    def _windows(self, size: int, overlap: int, fade: int, memory: int, reason: str) -> Plan:
        windows = plan_tiles(self.height, self.width, size, overlap, self.model.unshuffle)
        exact = len(windows) == 1 or overlap >= self.model.receptive_field
        return Plan(tuple(windows), TAIL_SIZE, overlap, 0 if exact else fade, exact, memory, reason)

    def _whole(self) -> tuple[Tile, ...]:
        picture = Box(0, 0, self.height, self.width)
        return (Tile(picture, picture),)


def _mib(count: int) -> str:
    return f"{max(count, 0) / 2**20:,.0f} MiB"
