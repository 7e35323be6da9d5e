"""CompactNet: SRVGGNetCompact of Real-ESRGAN (Wang et al. 2021), the small network for video.

Plain 3x3 convolutions with PReLU at input resolution, then one pixel shuffle; the input, enlarged by
nearest neighbour, is added. Parameter names are those of the official files.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_torch.config import CompactNetConfig
from esrgan_torch.network import Generator


class CompactNet(Generator):
    """SRVGGNetCompact; sizes and errors as in `CompactNetConfig`.

    The nearest-neighbour skip is added before the pixel shuffle, where it is a repetition of
    channels: the sum is the same, and the tail becomes the shuffle alone, which needs no halo.
    """

    body: nn.ModuleList

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
