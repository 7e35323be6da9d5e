"""Pictures of every size from 1x1 to 97x97, every scale and number of channels: each way gives the same."""

import random
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from esrgan_torch.images.picture import Picture, Samples
from esrgan_torch.networks.base import Generator
from esrgan_torch.tiling.modes import Tiling
from esrgan_torch.upscaler import Upscaler
from tests.torch.networks import small_compact, small_rrdb, small_span

LARGEST = 97
CLOSE = 2e-4  # of the range, between engines in float32


@cache
def networks() -> dict[str, Generator]:
    """Small ones with random weights: each scale, folded and not, gray and colour."""
    found: dict[str, Generator] = {}
    for scale in (1, 2, 3, 4):
        for channels in (1, 3):
            sizes = {"scale": scale, "in_channels": channels, "out_channels": channels}
            found[f"Compact x{scale}, {channels} channels"] = small_compact(**sizes)
    for scale, unshuffle in ((1, 4), (2, 2), (4, 1), (2, 1)):
        found[f"RRDB x{scale}, folded {unshuffle}"] = small_rrdb(scale=scale, unshuffle=unshuffle, blocks=1)
    found["SPAN x4"] = small_span()
    return found


@cache
def _upscaler(name: str, engine: str, tiling: int) -> Upscaler:
    cut: Tiling | str = Tiling("overlap", tiling, networks()[name].receptive_field) if tiling else "off"
    return Upscaler(networks()[name], "cpu", "float32", cut, engine=engine)  # pyright: ignore


def tried(chance: random.Random) -> tuple[str, str]:
    """One picture by chance: the network's name, and what is wrong; nothing where all is well."""
    name = chance.choice(list(networks()))
    height, width = chance.randint(1, LARGEST), chance.randint(1, LARGEST)
    channels, dtype = chance.randint(1, 4), chance.choice((np.uint8, np.uint16))
    numbers = np.random.default_rng(chance.getrandbits(32))
    largest = np.iinfo(dtype).max
    pixels: Samples = numbers.integers(0, largest, (height, width, channels), dtype, endpoint=True)
    expected = _upscaler(name, "eager", 0).upscale(Picture(pixels)).picture.pixels
    scale = networks()[name].scale
    what = f"{height}x{width}, {channels} channels, {pixels.dtype}"
    if expected.shape != (height * scale, width * scale, channels) or expected.dtype != dtype:
        return name, f"{what}: a result of {expected.shape} {expected.dtype}"
    tile = chance.choice((16, 32, 48))
    for engine, size in (("eager", tile), ("auto", 0), ("auto", tile)):
        found = _upscaler(name, engine, size).upscale(Picture(pixels)).picture.pixels
        error = np.abs(found.astype(np.int64) - expected.astype(np.int64)).max()
        if error > max(1, round(CLOSE * largest)):
            return name, f"{what}: {engine}, tiles of {size or 'none'}: {error} levels off"
    return name, ""


def tries(seed: int, over: Callable[[], bool]) -> Iterator[tuple[str, str, str]]:
    """Picture after picture, until it is over."""
    chance = random.Random(seed)
    while not over():
        name, wrong = tried(chance)
        yield "a picture of any size, cut and not, by each engine", name, wrong
