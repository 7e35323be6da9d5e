"""The one rule by which a file becomes the RGB of 8 bits that networks are trained and measured on.

- 16 bits are rounded to 8.
- What is transparent is laid on white, in the file's own bits. The colours that lie under it, which no viewer
  shows, are never learnt or measured.
- Gray counts as RGB with three equal channels.
- Palettes, CMYK, a transparent colour and EXIF's orientation are resolved when the file is read
  (`esrgan_torch.images.files.read_image`); of an animation it is the first frame.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.images.encode import to_8_bits
from esrgan_torch.images.files import read_image
from esrgan_torch.images.picture import Picture


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """The pixels of a picture file, (H, W, 3), by the rule above.

    Raises:
        ImageReadError: see `esrgan_torch.images.files.read_image`.
    """
    return as_rgb(read_colour(path))


def read_colour(path: Path) -> NDArray[np.uint8]:
    """The same with gray as one channel: (H, W, 1) or (H, W, 3)."""
    return opaque(read_image(path))


def opaque(picture: Picture) -> NDArray[np.uint8]:
    """The pixels of 8 bits on white, (H, W, 1) or (H, W, 3)."""
    pixels: NDArray[Any] = picture.pixels
    if picture.has_alpha:
        white = picture.maximum
        # of 16 bits the sum is at most 65535 * 65535 + 32767, which is below 2**32
        alpha = pixels[:, :, -1:].astype(np.uint32)
        mixed = pixels[:, :, :-1] * alpha + white * (white - alpha) + white // 2
        pixels = (mixed // white).astype(pixels.dtype)
    return to_8_bits(pixels).astype(np.uint8, copy=False)


def as_rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 1) or (H, W, 3) -> (H, W, 3)."""
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
