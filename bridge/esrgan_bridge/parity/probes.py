"""The fixed pictures that every copy of a network is measured on.

Each is small, has 8 bits, and is the same on every machine and with every version of numpy: integers and
a hash make them, no random generator. Two are crops of a photo, since networks are trained on photos.
"""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Batch = NDArray[np.float32]
Answer = NDArray[np.float32 | np.float64]  # the original's are float64: a copy's error is not rounded

PHOTOS = ("eye", "fur")  # probe_photos/*.png, 24x24 crops of examples/cat.jpg


@dataclass(frozen=True)
class Probe:
    """One picture: its name and its pixels, (H, W, C) uint8."""

    name: str
    pixels: Pixels

    @property
    def size(self) -> str:
        """Such as "17x23": height and width."""
        return f"{self.pixels.shape[0]}x{self.pixels.shape[1]}"

    def batch(self) -> Batch:
        """(1, H, W, C) float32 in [0, 1]."""
        return (self.pixels.astype(np.float32) / np.float32(255))[None]


def make_probes(channels: int = 3, multiple: int = 1, size: tuple[int, int] | None = None) -> list[Probe]:
    """All probes, the smallest first; of one size, those that tell most first.

    Args:
        channels: of the network's input; a fourth and further ones repeat the first ones.
        multiple: height and width are cut down to multiples of this.
        size: height and width that all are to have, cut off or mirrored again and again; None: their own.
    """
    pictures = {
        "flat": _flat(),
        "checkerboard": _checkerboard(),
        "odd": _odd(),
        "ramp": _ramp(),
        "noise": _noise(24, 24, b"esrgan-torch probe: noise"),
        **{name: _photo(name) for name in PHOTOS},
    }
    if size is not None:
        pictures = {name: _fitted(pixels, size) for name, pixels in reversed(pictures.items())}
    probes: list[Probe] = []
    for name, pixels in pictures.items():
        height, width = (side // multiple * multiple for side in pixels.shape[:2])
        planes = [pixels[:height, :width, channel % 3] for channel in range(channels)]
        probes.append(Probe(name, np.stack(planes, axis=-1)))
    return probes


def _fitted(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Of this height and width: mirrored at its edges where it is smaller, cut off where it is larger."""
    beyond = [(0, max(wanted - side, 0)) for wanted, side in zip(size, pixels.shape[:2], strict=True)]
    return np.pad(pixels, (*beyond, (0, 0)), mode="symmetric")[: size[0], : size[1]]


def _flat() -> Pixels:
    """One colour: what is wrong here is a bias, the order of the channels, or the border."""
    return np.tile(np.array([200, 120, 40], np.uint8), (16, 16, 1))


def _checkerboard() -> Pixels:
    """Black and white pixels: the highest frequency, and every value at an end of the range."""
    rows, columns = np.indices((16, 16))
    return np.repeat(((rows + columns) % 2 * 255).astype(np.uint8)[:, :, None], 3, axis=2)


def _odd() -> Pixels:
    """17x23 pixels of noise over a slope: sizes that nothing divides, and no symmetry at all."""
    slope = np.linspace(0, 128, 17 * 23).astype(np.int64).reshape(17, 23, 1)
    noise = _noise(17, 23, b"esrgan-torch probe: odd").astype(np.int64) // 2
    return (slope + noise).clip(0, 255).astype(np.uint8)


def _ramp() -> Pixels:
    """Red rises to the right, green downwards, blue against both: a flipped or transposed axis shows."""
    rows, columns = np.indices((24, 24))
    return np.stack([columns * 11, rows * 11, 255 - (rows + columns) * 5], axis=-1).astype(np.uint8)


def _noise(height: int, width: int, seed: bytes) -> Pixels:
    """Independent values in 0..255."""
    data = hashlib.shake_256(seed).digest(height * width * 3)
    return np.frombuffer(data, np.uint8).reshape(height, width, 3)


def _photo(name: str) -> Pixels:
    from PIL import Image

    with (
        files("esrgan_bridge").joinpath(f"probe_photos/{name}.png").open("rb") as stream,
        Image.open(stream) as picture,
    ):
        return np.array(picture.convert("RGB"), np.uint8)
