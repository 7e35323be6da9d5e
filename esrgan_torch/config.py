"""Sizes of the networks, as frozen dataclasses that are checked when they are built."""

from dataclasses import dataclass

from esrgan_torch.errors import ConfigError

SCALES = (1, 2, 3, 4, 8, 16)


@dataclass(frozen=True)
class RRDBNetConfig:
    """Sizes of an `RRDBNet`; the defaults are those of ESRGAN and of realesrgan-x4plus.

    Args:
        features: channels of the residual stream (the paper's nf).
        blocks: number of RRDBs (nb).
        growth: channels that each convolution of a dense block adds (gc).
        scale: output pixels an input pixel, along each axis: 1, 2, 4, 8 or 16.
        in_channels, out_channels: channels of the picture.
        unshuffle: 1, 2 or 4: the picture is folded by this factor into channels first, as in
            Real-ESRGAN's x2plus (2) and x1 (4) networks, whose first convolution therefore has
            12 and 48 input channels.

    Raises:
        ConfigError: a size is not positive, or the scale cannot be built.
    """

    features: int = 64
    blocks: int = 23
    growth: int = 32
    scale: int = 4
    in_channels: int = 3
    out_channels: int = 3
    unshuffle: int = 1

    def __post_init__(self) -> None:
        check_positive(
            features=self.features,
            blocks=self.blocks,
            growth=self.growth,
            in_channels=self.in_channels,
            out_channels=self.out_channels,
        )
        if self.scale not in (1, 2, 4, 8, 16):
            raise ConfigError(f"RRDBNet can have scale 1, 2, 4, 8 or 16, not {self.scale}")
        if self.unshuffle not in (1, 2, 4):
            raise ConfigError(f"unshuffle is 1, 2 or 4, not {self.unshuffle}")

    @property
    def upsamplings(self) -> int:
        """Number of x2 steps in the tail: they undo `unshuffle` and add `scale`."""
        return (self.scale * self.unshuffle).bit_length() - 1


@dataclass(frozen=True)
class CompactNetConfig:
    """Sizes of a `CompactNet` (SRVGGNetCompact in Real-ESRGAN).

    Args:
        features: channels of the convolutions.
        convolutions: number of convolutions between the first and the last (num_conv):
            16 in realesr-animevideov3, 32 in realesr-general-x4v3.
        scale: output pixels an input pixel, along each axis: 1, 2, 3, 4, 8 or 16.
        in_channels, out_channels: channels of the picture; they are equal, since the input is
            added to the output.

    Raises:
        ConfigError: a size is not positive, the scale cannot be built or the channels differ.
    """

    features: int = 64
    convolutions: int = 16
    scale: int = 4
    in_channels: int = 3
    out_channels: int = 3

    def __post_init__(self) -> None:
        check_positive(
            features=self.features,
            convolutions=self.convolutions,
            in_channels=self.in_channels,
            out_channels=self.out_channels,
        )
        if self.scale not in SCALES:
            raise ConfigError(f"CompactNet can have scale {', '.join(map(str, SCALES))}, not {self.scale}")
        if self.in_channels != self.out_channels:
            raise ConfigError(
                f"CompactNet adds its input to its output, so both have the same channels; "
                f"given {self.in_channels} and {self.out_channels}"
            )


def check_positive(**sizes: int) -> None:
    """Raise `ConfigError` naming the first size that is not a whole number of at least 1."""
    for name, value in sizes.items():
        if value < 1 or int(value) != value:
            raise ConfigError(f"{name} is a whole number of at least 1, not {value!r}")
