"""The discriminators: VGG style of ESRGAN and the U-Net of Real-ESRGAN.

Parameter names are those of BasicSR, so that published `netD` files load.
"""

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.sizes import check_positive

SLOPE = 0.2


class Discriminator(nn.Module):
    """Tells natural pictures from generated ones."""

    def judged(self, batch: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Pictures (N, C, H, W) to logits, and the activations (N, c, h, w) on the way to them."""
        raise NotImplementedError

    def forward(self, batch: Tensor) -> Tensor:
        return self.judged(batch)[0]


class VGGDiscriminator(Discriminator):
    """VGG-style discriminator of SRGAN and ESRGAN (Wang et al. 2018, section 3.2; BasicSR's
    VGGStyleDiscriminator): pairs of a 3x3 and a strided 4x4 convolution, then two linear layers.

    Args:
        size: height and width of the pictures it judges: 128 or 256.
        features: channels of the first pair; doubled at each pair up to 8 times that.
        in_channels: channels of the picture.

    Raises:
        ConfigError: another size.
    """

    def __init__(self, size: int = 128, features: int = 64, in_channels: int = 3) -> None:
        super().__init__()
        if size not in (128, 256):
            raise ConfigError(f"VGGDiscriminator judges pictures of 128 or 256 pixels, not {size}")
        check_positive(features=features, in_channels=in_channels)
        self.size = size
        self.in_channels = in_channels
        self.pairs = size.bit_length() - 3  # 5 halvings take 128 to 4, 6 take 256
        channels = in_channels
        for pair in range(self.pairs):
            width = features * min(2**pair, 8)
            # batch normalisation makes a bias pointless everywhere but before the first pair's activation
            first = nn.Conv2d(channels, width, 3, padding=1, bias=pair == 0)
            self.add_module(f"conv{pair}_0", first)
            if pair:
                self.add_module(f"bn{pair}_0", nn.BatchNorm2d(width))
            self.add_module(f"conv{pair}_1", nn.Conv2d(width, width, 4, stride=2, padding=1, bias=False))
            self.add_module(f"bn{pair}_1", nn.BatchNorm2d(width))
            channels = width
        self.linear1 = nn.Linear(channels * 4 * 4, 100)
        self.linear2 = nn.Linear(100, 1)

    def judged(self, batch: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(N, in_channels, size, size) -> (N, 1), a logit, larger for a natural picture; a map a convolution.

        Raises:
            ConfigError: pictures of another size.
        """
        expected = (self.in_channels, self.size, self.size)
        if batch.shape[1:] != expected:
            raise ConfigError(
                f"this discriminator judges pictures of shape {expected}, given {tuple(batch.shape[1:])}"
            )
        features, maps = batch, list[Tensor]()
        for pair in range(self.pairs):
            for half in (0, 1):
                features = self.get_submodule(f"conv{pair}_{half}")(features)
                if pair or half:
                    features = self.get_submodule(f"bn{pair}_{half}")(features)
                features = F.leaky_relu(features, SLOPE)
                maps.append(features)
        return self.linear2(F.leaky_relu(self.linear1(features.flatten(1)), SLOPE)), maps


class UNetDiscriminator(Discriminator):
    """U-Net discriminator with spectral normalisation (Wang et al. 2021, section 3.3; Real-ESRGAN's
    UNetDiscriminatorSN): a logit for every pixel.

    Args:
        features: channels at full resolution.
        in_channels: channels of the picture.
    """

    def __init__(self, features: int = 64, in_channels: int = 3) -> None:
        super().__init__()
        check_positive(features=features, in_channels=in_channels)

        def normed(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Module:
            return spectral_norm(nn.Conv2d(inputs, outputs, kernel, stride, padding=1, bias=False))

        self.conv0 = nn.Conv2d(in_channels, features, 3, padding=1)
        self.conv1 = normed(features, features * 2, 4, 2)
        self.conv2 = normed(features * 2, features * 4, 4, 2)
        self.conv3 = normed(features * 4, features * 8, 4, 2)
        self.conv4 = normed(features * 8, features * 4)
        self.conv5 = normed(features * 4, features * 2)
        self.conv6 = normed(features * 2, features)
        self.conv7 = normed(features, features)
        self.conv8 = normed(features, features)
        self.conv9 = nn.Conv2d(features, 1, 3, padding=1)

    def judged(self, batch: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(N, in_channels, H, W), H and W of at least 8 -> logits (N, 1, H, W); a map for each of 7 sizes."""
        full = _activate(self.conv0(batch))
        half = _activate(self.conv1(full))
        quarter = _activate(self.conv2(half))
        features = _activate(self.conv3(quarter))
        maps = [full, half, quarter, features]
        for convolution, skip in ((self.conv4, quarter), (self.conv5, half), (self.conv6, full)):
            enlarged = F.interpolate(features, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            features = _activate(convolution(enlarged)) + skip
            maps.append(features)
        return self.conv9(_activate(self.conv8(_activate(self.conv7(features))))), maps


def _activate(features: Tensor) -> Tensor:
    return F.leaky_relu(features, SLOPE)
