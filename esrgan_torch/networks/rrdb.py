"""RRDBNet: the generator of ESRGAN (Wang et al. 2018, section 3.1), in the reference way.

Parameter names are those of BasicSR and Real-ESRGAN, the layout most files are published in;
`esrgan_weights` translates the others.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.export import folded_weight
from esrgan_torch.networks.sizes import check_positive

RESIDUAL_SCALE = 0.2  # β of the paper, figure 4: both residuals are multiplied by it
SLOPE = 0.2  # of every LeakyReLU


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
            raise ConfigError(f"unshuffle must be 1, 2 or 4, not {self.unshuffle}")

    @property
    def upsamplings(self) -> int:
        """Number of x2 steps in the tail: they undo `unshuffle` and add `scale`."""
        return (self.scale * self.unshuffle).bit_length() - 1


class ResidualDenseBlock(nn.Module):
    """Five 3x3 convolutions, each seeing all earlier outputs; the last is added with weight 0.2."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(features, growth, 3, padding=1)
        self.conv2 = nn.Conv2d(features + growth, growth, 3, padding=1)
        self.conv3 = nn.Conv2d(features + 2 * growth, growth, 3, padding=1)
        self.conv4 = nn.Conv2d(features + 3 * growth, growth, 3, padding=1)
        self.conv5 = nn.Conv2d(features + 4 * growth, features, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """(N, features, H, W) -> the same shape."""
        return features + RESIDUAL_SCALE * self.residual(features)

    def residual(self, features: Tensor) -> Tensor:
        """What the block adds, before its weight: (N, features, H, W) -> the same shape."""
        dense = features
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            dense = torch.cat((dense, F.leaky_relu(convolution(dense), SLOPE)), dim=1)
        return self.conv5(dense)


class RRDB(nn.Module):
    """Residual in residual dense block: three dense blocks, their result added with weight 0.2."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = ResidualDenseBlock(features, growth)
        self.rdb2 = ResidualDenseBlock(features, growth)
        self.rdb3 = ResidualDenseBlock(features, growth)

    def forward(self, features: Tensor) -> Tensor:
        """(N, features, H, W) -> the same shape."""
        return features + RESIDUAL_SCALE * self.rdb3(self.rdb2(self.rdb1(features)))


class RRDBNet(Generator):
    """The generator of ESRGAN and Real-ESRGAN; sizes and errors as in `RRDBNetConfig`.

    Args:
        features, blocks, growth, scale, in_channels, out_channels, unshuffle: see `RRDBNetConfig`.

    Example:
        >>> RRDBNet(blocks=1, scale=2)(torch.zeros(1, 3, 5, 7)).shape
        torch.Size([1, 3, 10, 14])
    """

    config: RRDBNetConfig

    def __init__(
        self,
        features: int = 64,
        blocks: int = 23,
        growth: int = 32,
        scale: int = 4,
        in_channels: int = 3,
        out_channels: int = 3,
        unshuffle: int = 1,
    ) -> None:
        super().__init__()
        config = RRDBNetConfig(features, blocks, growth, scale, in_channels, out_channels, unshuffle)
        self.config = config
        self.scale = scale
        self.unshuffle = unshuffle
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.tail_halo = tail_halo(config.upsamplings)
        # the trunk: first convolution, 15 in each RRDB, the body's last one
        self.receptive_field = unshuffle * (2 + 15 * blocks + self.tail_halo)
        # measured with official weights, docs/tiling.md: 96 for 23 blocks, 48 for 6
        self.overlap = min(self.receptive_field, unshuffle * (48 if blocks <= 6 else 96))

        self.conv_first = nn.Conv2d(in_channels * unshuffle**2, features, 3, padding=1)
        self.body = nn.ModuleList(RRDB(features, growth) for _ in range(blocks))
        self.conv_body = nn.Conv2d(features, features, 3, padding=1)
        for step in range(1, config.upsamplings + 1):
            setattr(self, f"conv_up{step}", nn.Conv2d(features, features, 3, padding=1))
        self.conv_hr = nn.Conv2d(features, features, 3, padding=1)
        self.conv_last = nn.Conv2d(features, out_channels, 3, padding=1)

    def rrdbs(self) -> list[RRDB]:
        """The blocks of the body, in order."""
        return [cast(RRDB, block) for block in self.body]

    def upsampling_convolutions(self) -> list[nn.Conv2d]:
        """The convolutions that follow each nearest x2 step, in order."""
        return [getattr(self, f"conv_up{step}") for step in range(1, self.config.upsamplings + 1)]

    def trunk(self, batch: Tensor) -> Tensor:
        """(N, in_channels, H, W) in [0, 1] -> (N, features, H / unshuffle, W / unshuffle)."""
        first = self.conv_first(F.pixel_unshuffle(batch, self.unshuffle))
        features = first
        for block in self.body:
            features = block(features)
        return first + self.conv_body(features)

    def tail(self, features: Tensor) -> Tensor:
        """(N, features, h, w) -> (N, out_channels, h * unshuffle * scale, w * unshuffle * scale)."""
        for convolution in self.upsampling_convolutions():
            enlarged = F.interpolate(features, scale_factor=2.0, mode="nearest")
            features = F.leaky_relu(convolution(enlarged), SLOPE)
        return self.conv_last(F.leaky_relu(self.conv_hr(features), SLOPE))


def tail_halo(upsamplings: int) -> int:
    """Feature pixels around a tile that `RRDBNet.tail` depends on.

    Each convolution reaches one pixel at its own resolution: two at the last one, and one at every
    resolution 2, 4, ... on the way there. For x4: 1/2 + 1/4 + 2/4 = 1.25, hence 2.
    """
    reach = 2 * 2**-upsamplings + sum(2**-step for step in range(1, upsamplings + 1))
    return -int(-reach // 1)


class ExportedRRDBNet(nn.Module):
    """An RRDBNet whose pixel unshuffle is part of the first convolution."""

    def __init__(self, model: RRDBNet) -> None:
        super().__init__()
        clone = RRDBNet(**vars(model.config))
        clone.load_state_dict(model.state_dict())
        fold = model.unshuffle
        first = nn.Conv2d(model.in_channels, model.config.features, 3 * fold, stride=fold, padding=fold)
        first.weight = nn.Parameter(folded_weight(clone.conv_first.weight.detach(), fold))
        first.bias = clone.conv_first.bias
        clone.conv_first = first
        self.net = clone

    def forward(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) -> output and features."""
        net = self.net
        first = net.conv_first(batch)
        features = first
        for block in net.body:
            features = block(features)
        features = first + net.conv_body(features)
        return net.tail(features), features
