"""SPAN: Swift Parameter-free Attention Network (Wan et al. 2024, arXiv 2311.12770), as it runs.

Six blocks of three 3x3 convolutions at input resolution; each block's result is multiplied by an attention
that is computed from itself, without weights. Then one pixel shuffle. Parameter names are those of the
official files without what training adds (`conv_1.eval_conv.weight` is `conv_1.weight` here); the form that
is trained stands in `esrgan_torch.networks.span_training`.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.sizes import SCALES, check_positive

BLOCKS = 6
# of DIV2K's pictures, as EDSR and those after it have it; the official code holds the numbers in float32
RGB_MEAN = tuple(float(np.float32(mean)) for mean in (0.4488, 0.4371, 0.4040))
RGB_RANGE = 255.0
# what every output pixel sees: the first convolution, three a block, the one after them, the last
RECEPTIVE_FIELD = 1 + 3 * BLOCKS + 1 + 1

Convolution = Callable[[int, int], nn.Module]  # input and output channels -> a padded 3x3 convolution


@dataclass(frozen=True)
class SPANConfig:
    """Sizes of a `SPAN`; the defaults are those of the official `spanx4_ch48.pth`.

    Args:
        features: channels of the convolutions.
        scale: output pixels an input pixel, along each axis: 1, 2, 3, 4, 8 or 16.
        in_channels, out_channels: channels of the picture.
        normalised: whether the network is given 255 * (picture - mean of DIV2K), as the official ones are,
            or the picture itself, as in files with an entry `no_norm`.

    Raises:
        ConfigError: a size is not positive, the scale cannot be built, or a picture that is not RGB is to be
            normalised.
    """

    features: int = 48
    scale: int = 4
    in_channels: int = 3
    out_channels: int = 3
    normalised: bool = True

    def __post_init__(self) -> None:
        check_positive(features=self.features, in_channels=self.in_channels, out_channels=self.out_channels)
        if self.scale not in SCALES:
            raise ConfigError(f"SPAN can have scale {', '.join(map(str, SCALES))}, not {self.scale}")
        if self.normalised and self.in_channels != len(RGB_MEAN):
            raise ConfigError(
                f"SPAN normalises pictures by the mean of red, green and blue, so of 3 channels, not "
                f"{self.in_channels}; give normalised=False"
            )


class SPAB(nn.Module):
    """Swift parameter-free attention block: three convolutions, and their result as its own attention."""

    def __init__(self, features: int, convolution: Convolution) -> None:
        super().__init__()
        self.c1_r = convolution(features, features)
        self.c2_r = convolution(features, features)
        self.c3_r = convolution(features, features)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(N, features, H, W) -> the result, and what the first convolution gave, activated; same shapes."""
        start = F.silu(self.c1_r(features))
        third = self.c3_r(F.silu(self.c2_r(start)))
        return (third + features) * (torch.sigmoid(third) - 0.5), start


class SPANForm(Generator):
    """What the form that runs and the form that is trained share: all but the 3x3 convolutions inside.

    Sizes and errors as in `SPANConfig`.
    """

    config: SPANConfig
    conv_cat: nn.Conv2d
    upsampler: nn.Sequential

    def __init__(
        self,
        features: int = 48,
        scale: int = 4,
        in_channels: int = 3,
        out_channels: int = 3,
        normalised: bool = True,
    ) -> None:
        super().__init__()
        config = SPANConfig(features, scale, in_channels, out_channels, normalised)
        convolution = self.convolution
        self.config = config
        self.scale = config.scale
        self.in_channels = config.in_channels
        self.out_channels = config.out_channels
        self.tail_halo = 0
        self.receptive_field = RECEPTIVE_FIELD
        self.overlap = RECEPTIVE_FIELD
        # at conv_cat: what it joins and the joined map, with a copy in the library's own layout; then the
        # last convolution's result, twice
        self.trunk_values = 12 * config.features + 2 * config.out_channels * config.scale**2
        self.tail_values = 2 * config.out_channels * config.scale**2
        self.conv_1 = convolution(config.in_channels, features)
        for number in range(1, BLOCKS + 1):
            setattr(self, f"block_{number}", SPAB(features, convolution))
        self.conv_cat = nn.Conv2d(4 * features, features, 1)
        self.conv_2 = convolution(features, features)
        self.upsampler = nn.Sequential(plain_convolution(features, config.out_channels * config.scale**2))

    @staticmethod
    @abstractmethod
    def convolution(inputs: int, outputs: int) -> nn.Module:
        """Each 3x3 convolution but the last, for these channels."""

    def blocks(self) -> list[SPAB]:
        """The blocks, in order."""
        return [cast(SPAB, getattr(self, f"block_{number}")) for number in range(1, BLOCKS + 1)]

    def convolutions(self) -> dict[str, nn.Module]:
        """Every convolution by its name, in the order of the network's graph."""
        inner = {
            f"block_{number}.{name}": layer
            for number, block in enumerate(self.blocks(), start=1)
            for name, layer in block.named_children()
        }
        outer = {"conv_2": self.conv_2, "conv_cat": self.conv_cat, "upsampler.0": self.upsampler[0]}
        return {"conv_1": self.conv_1, **inner, **outer}

    def trunk(self, batch: Tensor) -> Tensor:
        """(N, in_channels, H, W) in [0, 1] -> (N, out_channels * scale², H, W)."""
        # the convolutions pad what they are given, so with the mean colour where the picture is normalised
        return self.body(normalised(batch) if self.config.normalised else batch)

    def body(self, picture: Tensor) -> Tensor:
        """As `trunk`, of a picture that is normalised where the network wants that."""
        first = self.conv_1(picture)
        features, early, start = first, first, first
        for number, block in enumerate(self.blocks(), start=1):
            features, start = block(features)
            if number == 1:
                early = features
        joined = torch.cat((first, self.conv_2(features), early, start), dim=1)
        return self.upsampler(self.conv_cat(joined))

    def tail(self, features: Tensor) -> Tensor:
        """(N, out_channels * scale², H, W) -> (N, out_channels, H * scale, W * scale)."""
        return F.pixel_shuffle(features, self.scale)


class SPAN(SPANForm):
    """SPAN with plain convolutions; sizes and errors as in `SPANConfig`.

    Example:
        >>> SPAN(features=8, scale=2)(torch.zeros(1, 3, 5, 7)).shape
        torch.Size([1, 3, 10, 14])
    """

    @staticmethod
    def convolution(inputs: int, outputs: int) -> nn.Module:
        return plain_convolution(inputs, outputs)


def plain_convolution(inputs: int, outputs: int) -> nn.Conv2d:
    """A 3x3 convolution that pads with zeros, with a bias."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def normalised(batch: Tensor) -> Tensor:
    """(N, 3, H, W) in [0, 1] -> 255 * (batch - mean of DIV2K)."""
    # numbers rather than a tensor of three: a network is built without memory, traced and moved about
    planes = torch.tensor_split(batch, len(RGB_MEAN), dim=1)
    shifted = [plane - mean for plane, mean in zip(planes, RGB_MEAN, strict=True)]
    return torch.cat(shifted, dim=1) * RGB_RANGE
