"""A picture that comes as bands of rows, enlarged as it comes."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from esrgan_torch.arithmetic import round_up
from esrgan_torch.engines.choose_rows import RowEngine
from esrgan_torch.errors import ConfigError
from esrgan_torch.images.picture import Samples
from esrgan_torch.images.planes import cut_off, padded
from esrgan_torch.networks.base import Generator
from esrgan_torch.tiling.modes import Box, Tile
from esrgan_torch.tiling.plan import TAIL_SIZE
from esrgan_torch.tiling.rows import ROWS, RowRun
from esrgan_torch.watch import Watch

TYPES = ("uint8", "uint16", "float32")


def rows_memory(engine: RowEngine, model: Generator, height: int, width: int) -> int:
    """Bytes that `enlarge_rows` takes at its peak, the bands that the caller holds apart."""
    height, width = round_up(height, model.unshuffle), round_up(width, model.unshuffle)
    return engine.bytes(height, width, TAIL_SIZE)


def enlarge_rows(
    engine: RowEngine, model: Generator, rows: Iterable[Samples], height: int, width: int, watch: Watch
) -> Iterator[Samples]:
    """Bands of a picture of height x width pixels -> bands of the larger one; see `Upscaler.upscale_rows`."""
    watch(0.0)
    checked = _checked(rows, height, width, model.in_channels)
    first = next(checked)
    flat = _FlatStart(first, checked)
    beginning = flat.bands()
    band = next(beginning, None)
    if band is None:
        yield from _plain(flat.colour, height * model.scale, width * model.scale)
        watch(1.0)
        return
    fold = model.unshuffle
    whole = Box(0, 0, round_up(height, fold), round_up(width, fold))
    run = RowRun(engine, model, whole.height, Tile(whole, whole), first.shape[2], first.dtype)
    left = height * model.scale
    for large in run.bands(_even(chain([band], beginning), fold), watch):
        pixels = cut_off(large[:left, : width * model.scale])
        left -= len(pixels)
        yield pixels


def _checked(rows: Iterable[Samples], height: int, width: int, channels: int) -> Iterator[Samples]:
    """The bands, each (h, width, C) of one type, of `height` rows together; empty ones left out."""
    seen, kind = 0, None
    for given in rows:
        band = np.asarray(given)
        band = band[:, :, None] if band.ndim == 2 else band
        if (
            band.ndim != 3
            or band.shape[1] != width
            or band.shape[2] not in (1, 3)
            or band.dtype.name not in TYPES
        ):
            raise ConfigError(
                f"rows are (h, {width}, 1 or 3) of uint8, uint16 or float32, "
                f"given {band.shape} of {band.dtype}; pictures with transparency need upscale"
            )
        if kind not in (None, (band.dtype, band.shape[2])):
            raise ConfigError(f"all rows have one type and as many channels, given {kind}, then {band.shape}")
        if band.shape[2] > channels:
            raise ConfigError("a network for gray takes rows of one channel; give the channels one by one")
        kind = band.dtype, band.shape[2]
        seen += len(band)
        if seen > height:
            raise ConfigError(f"more than {height} rows were given")
        if len(band):
            yield band
    if seen < height:
        raise ConfigError(f"{seen} of {height} rows were given")


class _FlatStart:
    """Bands, of which those of the first pixel's value are only counted until another comes.

    A picture of one colour does not go through the network, and whether it is one shows at its end.
    """

    def __init__(self, first: Samples, others: Iterator[Samples]) -> None:
        self.colour = first[0, 0]
        self._first, self._others = first, others

    def bands(self) -> Iterator[Samples]:
        """All of them; none where the picture is of one colour."""
        count, width = 0, self._first.shape[1]
        for band in chain([self._first], self._others):
            if (band == self.colour).all():
                count += len(band)
                continue
            yield from _plain(self.colour, count, width)
            yield band
            break
        yield from self._others


def _plain(colour: NDArray[Any], height: int, width: int) -> Iterator[Samples]:
    """So many rows of one colour."""
    for top in range(0, height, ROWS):
        yield np.tile(colour, (min(ROWS, height - top), width, 1))


def _even(bands: Iterator[Samples], multiple: int) -> Iterator[Samples]:
    """Bands of `ROWS` rows, the last padded to a multiple as a whole picture is."""
    held: list[Samples] = []
    count = 0
    for band in bands:
        held.append(band)
        count += len(band)
        # what is left must be enough to be reflected
        while count >= ROWS + multiple:
            joined = np.concatenate(held) if len(held) > 1 else held[0]
            yield padded(joined[:ROWS], multiple)
            held, count = [joined[ROWS:]], count - ROWS
    if count:
        yield padded(np.concatenate(held), multiple)


def outside(bands: Iterator[Samples]) -> Iterator[Samples]:
    """The bands, each computed for inference alone, which the caller's code between them does not see."""
    while True:
        with torch.inference_mode(), np.errstate(all="ignore"):
            band = next(bands, None)
        if band is None:
            return
        yield band
