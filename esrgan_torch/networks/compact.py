"""CompactNet: SRVGGNetCompact of Real-ESRGAN (Wang et al. 2021), the small network for video.

Plain 3x3 convolutions with PReLU at input resolution, then one pixel shuffle; the input, enlarged by
nearest neighbour, is added. Parameter names are those of the official files.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.export import reorder_outputs, shuffled
from esrgan_torch.networks.sizes import SCALES, check_positive


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


class CompactNet(Generator):
    """SRVGGNetCompact; sizes and errors as in `CompactNetConfig`.

    The nearest-neighbour skip is added before the pixel shuffle, where it is a repetition of
    channels: the sum is the same, and the tail becomes the shuffle alone, which needs no halo.
    """

    body: nn.ModuleList
    config: CompactNetConfig

    def __init__(
        self,
        features: int = 64,
        convolutions: int = 16,
        scale: int = 4,
        in_channels: int = 3,
        out_channels: int = 3,
    ) -> None:
        super().__init__()
        self.config = CompactNetConfig(features, convolutions, scale, in_channels, out_channels)
        self.scale = scale
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.tail_halo = 0
        self.receptive_field = convolutions + 2
        self.overlap = self.receptive_field
        layers: list[nn.Module] = [nn.Conv2d(in_channels, features, 3, padding=1), nn.PReLU(features)]
        for _ in range(convolutions):
            layers += [nn.Conv2d(features, features, 3, padding=1), nn.PReLU(features)]
        layers.append(nn.Conv2d(features, out_channels * scale**2, 3, padding=1))
        self.body = nn.ModuleList(layers)

    def trunk(self, batch: Tensor) -> Tensor:
        """(N, in_channels, H, W) in [0, 1] -> (N, out_channels * scale², H, W)."""
        features = batch
        for layer in self.body:
            features = layer(features)
        return features + torch.repeat_interleave(batch, self.scale**2, dim=1)

    def tail(self, features: Tensor) -> Tensor:
        """(N, out_channels * scale², H, W) -> (N, out_channels, H * scale, W * scale)."""
        return F.pixel_shuffle(features, self.scale)


class ExportedCompactNet(nn.Module):
    """A CompactNet whose last convolution gives its channels as (row, column, colour)."""

    def __init__(self, model: CompactNet) -> None:
        super().__init__()
        self.scale = model.scale
        clone = CompactNet(**vars(model.config))
        clone.load_state_dict(model.state_dict())
        reorder_outputs(cast(nn.Conv2d, clone.body[-1]), model.scale)
        self.body = clone.body

    def forward(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) -> output and features."""
        features = batch
        for layer in self.body:
            features = layer(features)
        # nearest neighbour, before the shuffle: the picture once for each output pixel of an input pixel
        features = features + torch.cat([batch] * self.scale**2, dim=1)
        return shuffled(features, self.scale), features
