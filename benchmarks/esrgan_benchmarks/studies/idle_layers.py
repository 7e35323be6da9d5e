"""Layers of a CompactNet through which next to nothing goes: found, and replaced by layers that can learn.

    python -m esrgan_benchmarks idle_layers measure MODEL... --dataset DIR
    python -m esrgan_benchmarks idle_layers regrow MODEL FIRST LAST --data DIR... --output FILE

A plain network without skips can close up in training: the features of a layer then vary in a few directions,
and what follows starts from these. `measure` counts, stage by stage, how many principal directions of the
features it takes to leave the result as it is; a stage is a convolution and its PReLU, and the first is 0.
`regrow` puts one convolution, fitted by least squares, in the place of the stages FIRST to LAST, and gives
the others back further on, as identities: the network computes almost what it did, and can learn more.
"""

import argparse
import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_benchmarks.core.record import append
from esrgan_torch import CompactNet
from esrgan_torch.errors import ConfigError
from esrgan_torch.metrics.protocol import pairs
from esrgan_torch.quantise import decibels
from esrgan_torch.train.data.batches import Crops
from esrgan_torch.train.data.pictures import prepare
from esrgan_weights import load
from esrgan_weights.formats.write import save

SCALE = 4
UNCHANGED = 50.0  # dB, what a number format has to keep too


def directions(network: CompactNet, pictures: Sequence[Tensor], stage: int) -> int:
    """How many principal directions of a stage's features keep the result within `UNCHANGED`.

    Args:
        network: in evaluation mode.
        pictures: (1, 3, H, W) each; their squared differences are averaged.
        stage: its number, from 0.
    """
    results = [network(picture) for picture in pictures]
    fewest, enough = 0, network.config.features
    while fewest < enough:  # the difference falls with every direction, or nearly
        tried = (fewest + enough) // 2
        reduced = _reduced(network, pictures, stage, tried)
        squares = [(one - other).square().mean().item() for one, other in zip(reduced, results, strict=True)]
        if decibels(255**2 * float(np.mean(squares))) >= UNCHANGED:
            enough = tried
        else:
            fewest = tried + 1
    return enough


def _reduced(network: CompactNet, pictures: Sequence[Tensor], stage: int, count: int) -> list[Tensor]:
    """The results when a stage keeps so many directions."""

    def keep(_module: nn.Module, _given: object, features: Tensor) -> Tensor:
        return keep_directions(features, count)

    handle = network.body[2 * stage + 1].register_forward_hook(keep)
    try:
        return [network(picture) for picture in pictures]
    finally:
        handle.remove()


def keep_directions(features: Tensor, count: int) -> Tensor:
    """(1, C, H, W), around its mean reduced to so many principal directions of its C channels."""
    flat = features[0].flatten(1).double()
    mean = flat.mean(1, keepdim=True)
    basis = np.linalg.eigh(_array((flat - mean) @ (flat - mean).T)).eigenvectors
    kept = torch.from_numpy(basis[:, len(basis) - count :].copy())  # the largest are the last
    return (mean + kept @ (kept.T @ (flat - mean))).float().view_as(features)


def regrow(network: CompactNet, batch: Tensor, first: int, last: int) -> CompactNet:
    """A network of the same size that computes nearly the same, without the stages `first` to `last`.

    One convolution takes their place, fitted by least squares to what `last` has before its PReLU. Behind it
    and behind each of the next stages comes an identity, until the network has its old depth; the PReLU of an
    identity has slope 1, so it does nothing at first.

    Args:
        network: left as it is.
        batch: (N, 3, H, W) in [0, 1], of the pictures that it is for.
        first, last: numbers of stages, 0 < first < last.

    Raises:
        ConfigError: there is no such range, or fewer stages behind it than it frees.
    """
    count = network.config.convolutions + 1
    freed = last - first
    if not 0 < first < last < count or freed > count - last:
        raise ConfigError(
            f"stages {first} to {last} of {count}: FIRST has to be at least 1 and less than LAST, and "
            f"{freed} stages or more have to stand from LAST on, to put the identities behind"
        )
    grown = copy.deepcopy(network)
    layers = list(grown.body)
    before, behind, final = layers[: 2 * first], layers[2 * last : -1], layers[-1]
    _fit(behind[0], _through(before, batch), _through(layers[: 2 * last + 1], batch))
    for number in range(freed):
        place = 4 * number + 2  # behind a stage and the pairs of a stage and an identity before it
        behind[place:place] = _identity(network.config.features)
    grown.body = nn.ModuleList([*before, *behind, final])
    return grown


def _through(layers: Sequence[nn.Module], batch: Tensor) -> Tensor:
    for layer in layers:
        batch = layer(batch)
    return batch


def _identity(features: int) -> list[nn.Module]:
    """A stage that hands its input on."""
    convolution = nn.Conv2d(features, features, 3, padding=1)
    nn.init.dirac_(convolution.weight)
    assert convolution.bias is not None
    nn.init.zeros_(convolution.bias)
    return [convolution, nn.PReLU(features, init=1.0)]


def _fit(convolution: nn.Module, given: Tensor, wanted: Tensor) -> None:
    """The weight and bias with which a 3x3 convolution comes nearest to `wanted`, by the normal equations."""
    patches = F.unfold(given, 3, padding=1).transpose(1, 2).flatten(0, 1).double()
    patches = torch.cat([patches, patches.new_ones(len(patches), 1)], dim=1)
    values = wanted.permute(0, 2, 3, 1).flatten(0, 2).double()
    products = patches.T @ patches
    products += torch.eye(len(products)) * products.diagonal().mean() * 1e-9  # channels that are always 0
    solution = torch.from_numpy(np.linalg.solve(_array(products), _array(patches.T @ values)).T)
    weight = convolution.get_parameter("weight")
    weight.data.copy_(solution[:, :-1].view_as(weight))
    convolution.get_parameter("bias").data.copy_(solution[:, -1])


def _array(values: Tensor) -> NDArray[np.float64]:
    return cast(NDArray[np.float64], values.numpy())


def _compact(name: str) -> CompactNet:
    network = load(name).float().eval()
    if not isinstance(network, CompactNet):
        raise ConfigError(f"{name} is no CompactNet: stages are for plain networks")
    return network


def _small_pictures(dataset: Path) -> Iterator[Tensor]:
    for _, _, small in pairs(dataset, SCALE):
        yield torch.from_numpy(np.ascontiguousarray(small)).permute(2, 0, 1)[None].float() / 255


def _measure(names: Sequence[str], dataset: Path) -> None:
    pictures = list(_small_pictures(dataset))
    for name in names:
        network = _compact(name)
        counts = [directions(network, pictures, stage) for stage in range(network.config.convolutions + 1)]
        print(f"{name}: {', '.join(map(str, counts))} of {network.config.features}", flush=True)
        append("idle-layers", [{"network": Path(name).stem, "dataset": dataset.name, "directions": counts}])


def _regrow(name: str, first: int, last: int, data: Sequence[str], cache: Path, output: Path) -> None:
    network = _compact(name)
    crops = Crops(prepare(tuple(data), (), cache, SCALE, 256), 256, SCALE, batch=48, seed=7)
    grown = regrow(network, crops[0][0], first, last)
    small = crops[1][0]
    change = (grown(small) - network(small)).square().mean().item()
    save(grown, output, dtype="float16")
    print(f"{output}: {decibels(255**2 * change):.1f} dB to the result of {name}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("models", nargs="+", metavar="MODEL")
    measuring.add_argument("--dataset", type=Path, required=True)
    growing = commands.add_parser("regrow")
    growing.add_argument("model", metavar="MODEL")
    growing.add_argument("first", metavar="FIRST", type=int)
    growing.add_argument("last", metavar="LAST", type=int)
    growing.add_argument("--data", nargs="+", required=True, help="folders of originals")
    growing.add_argument("--cache", type=Path, default=Path("runs/pictures"))
    growing.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    with torch.inference_mode():
        if options.command == "measure":
            _measure(options.models, options.dataset)
        else:
            _regrow(options.model, options.first, options.last, options.data, options.cache, options.output)
