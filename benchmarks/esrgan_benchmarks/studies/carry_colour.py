"""A trained CompactNet that carries colour to its last convolution, as a start for further training.

    python -m esrgan_benchmarks carry_colour MODEL --pictures FILE... -o FILE.safetensors

The skip of a CompactNet repeats pixels. All that is finer has to come through its convolutions, and losses
that are mostly about luma leave no room for colour there: it stays in blocks of scale x scale pixels. Here
two features of every layer, those that the layer behind it misses least, are given to the two differences of
colour (blue and red less luma). The last convolution interpolates them.
"""

import argparse
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from esrgan_torch.errors import ConfigError
from esrgan_torch.images.files import read_image
from esrgan_torch.images.luma import WEIGHTS
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.train.initial import bilinear_taps
from esrgan_weights.formats.write import save
from esrgan_weights.loading import load

SIDE = 128  # of the crops that features are looked at on


def with_colour(network: CompactNet, pictures: Tensor) -> CompactNet:
    """The network with two features of every layer given to colour.

    Args:
        network: of red, green and blue; not changed.
        pictures: (N, 3, H, W) in [0, 1], typical small pictures.

    Raises:
        ConfigError: the network has other channels, or fewer than three features.
    """
    config = network.config
    if (config.in_channels, config.out_channels) != (3, 3) or config.features < 3:
        raise ConfigError(f"colour needs three channels and three features; given {config}")
    result = CompactNet(config.features, config.convolutions, config.scale)
    result.load_state_dict(network.state_dict())
    convolutions = [cast(nn.Conv2d, layer) for layer in result.body[::2]]
    slopes = [cast(nn.PReLU, layer) for layer in result.body[1::2]]
    red, green, blue = WEIGHTS
    before: Tensor = torch.arange(0)
    with torch.no_grad():
        means, spreads = _features(network, pictures)
        for number, (here, slope) in enumerate(zip(convolutions, slopes, strict=False)):
            behind = convolutions[number + 1]
            # what the layer behind makes of a feature's changes; what it makes of the mean goes into its bias
            worth = spreads[number] * behind.weight.square().sum((0, 2, 3)).sqrt()
            given = worth.argsort()[:2]
            bias = cast(Tensor, behind.bias)
            bias += behind.weight[:, given].sum((2, 3)) @ means[number][given]
            behind.weight[:, given] = 0
            here.weight[given] = 0
            cast(Tensor, here.bias)[given] = 0
            slope.weight[given] = 1  # differences have both signs
            if number:
                here.weight[given, before, 1, 1] = 1
            else:
                here.weight[given, :, 1, 1] = torch.tensor(
                    [[-red, -green, 1 - blue], [1 - red, -green, -blue]]
                )
            before = given
        # of blue and of red less luma: what red, green and blue differ from luma by
        shares = torch.tensor([[0, 1], [-blue / green, -red / green], [1, 0]])
        taps = bilinear_taps(config.scale).flatten(0, 1)  # (scale², 3, 3)
        taps[:, 1, 1] -= 1  # what the skip has added
        convolutions[-1].weight[:, before] += torch.einsum("cf,pyx->cpfyx", shares, taps).flatten(0, 1)
    return result.eval()


def _features(network: CompactNet, pictures: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """The means and the deviations of the features behind each PReLU."""
    means: list[Tensor] = []
    spreads: list[Tensor] = []
    features = pictures
    for layer in network.body:
        features = layer(features)
        if isinstance(layer, nn.PReLU):
            means.append(features.mean((0, 2, 3)))
            spreads.append(features.std((0, 2, 3)))
    return means, spreads


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--pictures", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    network = load(options.model)
    if not isinstance(network, CompactNet):
        raise ConfigError(f"{options.model} is no CompactNet")
    crops = [read_image(path).pixels[:SIDE, :SIDE] for path in options.pictures]
    batch = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255
    print(save(with_colour(network, batch), options.output))
