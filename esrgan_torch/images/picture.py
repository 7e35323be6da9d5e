"""Pictures and frames in memory: pixels and what their file said about them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.errors import ConfigError

Pixels = NDArray[np.uint8 | np.uint16]
Samples = NDArray[np.uint8 | np.uint16 | np.float32]
"""Pixels, or the same in float32 from 0 to 1."""


def white(samples: NDArray[Any]) -> float:
    """The value of white, and of opaque: 255, 65535, or 1 in float32."""
    return 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max)


def rounded_to(values: NDArray[np.float32], dtype: "np.dtype[Any]") -> NDArray[Any]:
    """Values of that type's range in that type: whole numbers, or as they are in float32."""
    return values.astype(np.float32, copy=False) if dtype.kind == "f" else np.rint(values).astype(dtype)


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels with their colour profile and other metadata of a file.

    Sizes in the metadata are those of the file that was read; writing replaces them by the new ones.

    Args:
        pixels: (H, W, C), uint8 (0-255) or uint16 (0-65535, kept in the machine's byte order); C = 1 gray,
            2 gray and alpha, 3 RGB, 4 RGB and alpha. Alpha is straight: the colours are not multiplied by it.
        icc_profile: the ICC profile of the colours, None for sRGB or unknown. Other colour information of a
            file is converted to a profile.
        exif: the EXIF block, starting with its byte order mark (II or MM). Its orientation is already applied
            to the pixels, and the tag is 1.
        xmp: the XMP packet, likewise.
        iptc: the IPTC-IIM records.
        texts: keywords and texts, of PNG; a JPEG's comment has the keyword "Comment".
        density: pixels an inch, across and down.
        frames: how many frames or pages the source file has. `read_image` returns the first of them.

    Raises:
        ConfigError: the pixels have another type or shape, or are empty.
    """

    pixels: Pixels
    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()
    density: tuple[float, float] | None = None
    frames: int = 1

    def __post_init__(self) -> None:
        given = cast(object, self.pixels)
        if not isinstance(given, np.ndarray):
            raise ConfigError(f"pixels are an array, not a {type(given).__name__}; give numpy.asarray(it)")
        name = self.pixels.dtype.name
        if name not in ("uint8", "uint16"):
            raise ConfigError(
                f"a picture has uint8 or uint16 pixels, not {name}; scale and round floats first"
            )
        object.__setattr__(self, "pixels", self.pixels.astype(name, copy=False))
        shape = self.pixels.shape
        if len(shape) != 3 or shape[2] not in (1, 2, 3, 4) or 0 in shape:
            raise ConfigError(
                f"a picture has the shape (height, width, channels) with 1 to 4 channels, not {shape}"
            )

    def __repr__(self) -> str:
        kind = ("gray", "gray and alpha", "RGB", "RGB and alpha")[self.channels - 1]
        facts = [f"{self.width}x{self.height} {kind}", f"{self.bits} bits"]
        facts += ["ICC profile"] if self.icc_profile else []
        facts += ["EXIF"] if self.exif else []
        facts += [f"the first of {self.frames} frames"] if self.frames > 1 else []
        return f"<Picture {', '.join(facts)}>"

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    @property
    def channels(self) -> int:
        return self.pixels.shape[2]

    @property
    def has_alpha(self) -> bool:
        return self.channels in (2, 4)

    @property
    def bits(self) -> int:
        """8 or 16: bits of one channel of one pixel."""
        return 8 * self.pixels.dtype.itemsize

    @property
    def maximum(self) -> int:
        """255 or 65535: the value of white, and of opaque."""
        return (1 << self.bits) - 1

    def with_pixels(self, pixels: Pixels) -> "Picture":
        """A copy with the same metadata and other pixels; same conditions as for the constructor."""
        return replace(self, pixels=pixels)

    def without_metadata(self) -> "Picture":
        """A copy with the pixels and the ICC profile, without any other metadata."""
        return replace(self, exif=None, xmp=None, iptc=None, texts=(), density=None)


@dataclass(frozen=True, eq=False)
class Frame:
    """One complete frame of an animation, or one page.

    Args:
        picture: the frame as a viewer shows it, already composed with the frames below it.
        seconds: how long it is shown; None for a page.
    """

    picture: Picture
    seconds: float | None = None


@dataclass(frozen=True, eq=False)
class Frames:
    """The content of a picture file: one picture, the frames of an animation, or pages.

    Iterating decodes one frame at a time, and can be repeated. All frames of an animation have the same size,
    depth and number of channels; pages may differ.

    Args:
        count: of frames or pages, at least 1.
        timed: whether it is an animation, whose frames have durations.
        loop: how many times an animation is played, 0 for ever.
        first: decodes only the first frame, with no more channels than it needs.
        decode: starts a new iteration over the frames. Both raise `ImageReadError` if the file is damaged.
        memory: the most bytes that the pixels of the largest frame take, according to the file's header.
    """

    count: int
    timed: bool
    loop: int
    first: Callable[[], Picture] = field(repr=False)
    decode: Callable[[], Iterator[Frame]] = field(repr=False)
    memory: int = field(default=0, repr=False)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Frame]:
        return self.decode()
