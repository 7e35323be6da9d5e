"""A trained CompactNet with more convolutions, or of a smaller scale, as a start for further training.

    python -m esrgan_benchmarks grow MODEL [--convolutions N] [--scale N] -o FILE.safetensors

New convolutions change next to nothing at first. A network of a smaller scale makes what the given one does,
reduced by averaging: its trunk is the same, and its head the mean of those pixels' heads that become one.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.compact import CompactNet
from esrgan_weights.formats.write import save
from esrgan_weights.loading import load

_NOISE = 0.02  # of MSRA's deviation: so that the channels of a new convolution do not learn alike
_SLOPE = 0.98  # nearly what it takes to pass negative features on


def grown(network: CompactNet, convolutions: int, seed: int = 0) -> CompactNet:
    """The network with identities among its convolutions, at even distances.

    Raises:
        ConfigError: it has as many already.
    """
    config = network.config
    more = convolutions - config.convolutions
    if more < 1:
        raise ConfigError(f"the network has {config.convolutions} convolutions; give more than that")
    result = CompactNet(config.features, convolutions, config.scale, config.in_channels, config.out_channels)
    # an identity comes after these of the old pairs of convolution and PReLU, the first of which is pair 0
    after = [round((number + 1) * (config.convolutions + 1) / (more + 1)) - 1 for number in range(more)]
    numbers = torch.Generator().manual_seed(seed)
    layers: list[dict[str, Tensor]] = []
    old = list(network.body)
    for pair in range(config.convolutions + 1):
        layers += [dict(layer.state_dict()) for layer in old[2 * pair : 2 * pair + 2]]
        for _ in range(after.count(pair)):
            layers += _identity(config.features, numbers)
    layers.append(dict(old[-1].state_dict()))
    for layer, weights in zip(result.body, layers, strict=True):
        layer.load_state_dict(weights)
    return result.eval()


def rescaled(network: CompactNet, scale: int) -> CompactNet:
    """The network of a smaller scale, whose results are those of the given one, reduced by averaging.

    Raises:
        ConfigError: the scale does not divide that of the network.
    """
    config = network.config
    times, rest = divmod(config.scale, scale)
    if rest or times < 2:
        raise ConfigError(f"the network enlarges {config.scale} times; give a smaller scale that divides it")
    result = CompactNet(config.features, config.convolutions, scale, config.in_channels, config.out_channels)
    weights = network.state_dict()
    *_, weight, bias = weights  # the head's: the last convolution of the body
    for name in (weight, bias):
        # the pixel shuffle lays rows before columns
        heads = weights[name].unflatten(0, (config.out_channels, scale, times, scale, times))
        weights[name] = heads.mean((2, 4)).flatten(0, 2)
    result.load_state_dict(weights)
    return result.eval()


def _identity(features: int, numbers: torch.Generator) -> list[dict[str, Tensor]]:
    weight = torch.empty(features, features, 3, 3)
    nn.init.kaiming_normal_(weight, a=0.0, generator=numbers)
    weight *= _NOISE
    channels = torch.arange(features)
    weight[channels, channels, 1, 1] += 1
    return [
        {"weight": weight, "bias": torch.zeros(features)},
        {"weight": torch.full((features,), _SLOPE)},
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--convolutions", type=int)
    parser.add_argument("--scale", type=int)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    network = load(options.model)
    if not isinstance(network, CompactNet):
        raise ConfigError(f"{options.model} is no CompactNet")
    if options.convolutions is not None:
        network = grown(network, options.convolutions)
    if options.scale is not None:
        network = rescaled(network, options.scale)
    print(save(network, options.output))
