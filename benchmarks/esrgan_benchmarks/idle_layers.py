"""Layers of a CompactNet through which next to nothing goes: found, and replaced by layers that can learn.

    python -m esrgan_benchmarks.idle_layers measure MODEL... --dataset DIR
    python -m esrgan_benchmarks.idle_layers regrow MODEL FIRST LAST --data DIR... --output FILE

A plain network without skips can close up in training: the features of a layer then vary in a few directions,
and what follows starts from these. `measure` counts, stage by stage, how many principal directions of the
features it takes to leave the result as it is; a stage is a convolution and its PReLU, and the first is 0.
`regrow` puts one convolution, fitted by least squares, in the place of the stages FIRST to LAST, and gives
the others back further on, as identities: the network computes almost what it did, and can learn more.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_benchmarks.record import Row, append, latest, measured_on
from esrgan_torch import CompactNet
from esrgan_torch.errors import ConfigError
from esrgan_torch.evaluate import pairs
from esrgan_torch.train.batches import Crops
from esrgan_torch.train.pictures import prepare
from esrgan_weights import load
from esrgan_weights.write import save_small

SCALE = 4
UNCHANGED = 50.0  # dB, what a number format has to keep too


class Stage:
    """A convolution and its PReLU."""

    def __init__(self, convolution: nn.Module, activation: nn.Module) -> None:
        self.weight = convolution.get_parameter("weight")
        self.bias = convolution.get_parameter("bias")
        self.slopes = activation.get_parameter("weight")

    def convolve(self, features: Tensor) -> Tensor:
        """Before the PReLU: (N, in, H, W) -> (N, out, H, W)."""
        return F.conv2d(features, self.weight, self.bias, padding=1)

    def __call__(self, features: Tensor) -> Tensor:
        return F.prelu(self.convolve(features), self.slopes)

    def become(self, weight: Tensor, bias: Tensor, slopes: Tensor) -> None:
        """Take over these values."""
        for own, new in ((self.weight, weight), (self.bias, bias), (self.slopes, slopes)):
            own.data.copy_(new)


def stages(network: CompactNet) -> list[Stage]:
    """All but the network's last convolution."""
    layers = list(network.body)[:-1]
    return [Stage(*both) for both in zip(layers[::2], layers[1::2], strict=True)]


def features_after(network: CompactNet, batch: Tensor) -> list[Tensor]:
    """What each stage makes of (N, 3, H, W)."""
    made: list[Tensor] = []
    for stage in stages(network):
        made.append(stage(made[-1] if made else batch))
    return made


def directions(network: CompactNet, pictures: Sequence[Tensor], number: int) -> int:
    """How many principal directions of a stage's features keep the result within `UNCHANGED`.

    Args:
        network: in evaluation mode.
        pictures: (1, 3, H, W) each; their squared differences are averaged.
        number: of the stage, from 0.
    """
    parts = [_principal(network, picture, number) for picture in pictures]
    fewest, enough = 0, network.config.features
    while fewest < enough:  # the difference falls with every direction, or nearly
        tried = (fewest + enough) // 2
        squares = [_difference(network, number, part, tried) for part in parts]
        if -10 * np.log10(max(float(np.mean(squares)), 1e-20)) >= UNCHANGED:
            enough = tried
        else:
            fewest = tried + 1
    return enough


Part = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def _principal(network: CompactNet, picture: Tensor, number: int) -> Part:
    """The picture, its result, a stage's features, their mean, and their principal directions."""
    features = features_after(network, picture)[number]
    flat = features[0].flatten(1).double()
    mean = flat.mean(1, keepdim=True)
    basis = np.linalg.eigh(_array((flat - mean) @ (flat - mean).T)).eigenvectors[:, ::-1]
    return picture, network(picture), features, mean, torch.from_numpy(basis.copy())


def _difference(network: CompactNet, number: int, part: Part, count: int) -> float:
    """Mean square of what the result loses when a stage keeps so many directions."""
    picture, result, features, mean, basis = part
    kept = basis[:, :count]
    projected = mean + kept @ (kept.T @ (features[0].flatten(1).double() - mean))
    current = projected.float().view_as(features)
    for stage in stages(network)[number + 1 :]:
        current = stage(current)
    current = network.body[-1](current) + torch.repeat_interleave(picture, network.scale**2, dim=1)
    return (network.tail(current) - result).square().mean().item()


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
    old = stages(network)
    freed = last - first
    if not 0 < first < last < len(old) or freed > len(old) - last:
        raise ConfigError(
            f"stages {first} to {last} of {len(old)}: FIRST has to be at least 1 and less than LAST, and "
            f"{freed} stages or more have to stand from LAST on, to put the identities behind"
        )
    made = features_after(network, batch)
    fitted = _fit(made[first - 1], old[last].convolve(made[last - 1]))
    config = network.config
    grown = CompactNet(config.features, config.convolutions, config.scale)
    new = iter(stages(grown))
    for stage in old[:first]:
        next(new).become(stage.weight, stage.bias, stage.slopes)
    for number, stage in enumerate(old[last:]):
        weight, bias = fitted if number == 0 else (stage.weight, stage.bias)
        next(new).become(weight, bias, stage.slopes)
        if number < freed:
            identity = nn.init.dirac_(torch.empty_like(stage.weight))
            next(new).become(identity, torch.zeros_like(stage.bias), torch.ones_like(stage.slopes))
    grown.body[-1].load_state_dict(network.body[-1].state_dict())
    return grown.eval()


def _fit(given: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Weight and bias of the 3x3 convolution that comes nearest to `wanted`, by the normal equations."""
    patches = F.unfold(given, 3, padding=1).transpose(1, 2).flatten(0, 1).double()
    patches = torch.cat([patches, patches.new_ones(len(patches), 1)], dim=1)
    values = wanted.permute(0, 2, 3, 1).flatten(0, 2).double()
    products = patches.T @ patches
    products += torch.eye(len(products)) * products.diagonal().mean() * 1e-9  # channels that are always 0
    solution = torch.from_numpy(np.linalg.solve(_array(products), _array(patches.T @ values))).float()
    weight = solution[:-1].T.reshape(wanted.shape[1], given.shape[1], 3, 3)
    return weight, solution[-1]


def _array(values: Tensor) -> NDArray[np.float64]:
    return cast(NDArray[np.float64], values.numpy())


def table(rows: list[Row]) -> str:
    """The rows as a table, for the documentation."""
    rows = latest(rows, "network", "dataset")
    depth = max(len(row["directions"]) for row in rows)
    lines = [
        "| directions of the features after stage | " + " | ".join(map(str, range(depth))) + " |",
        "|---" * (depth + 1) + "|",
    ]
    lines += [f"| {row['network']} | " + " | ".join(map(str, row["directions"])) + " |" for row in rows]
    return "\n".join([*lines, "", measured_on(rows)])


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
        counts = [directions(network, pictures, number) for number in range(len(stages(network)))]
        print(f"{name}: {', '.join(map(str, counts))} of {network.config.features}", flush=True)
        append("idle-layers", [{"network": Path(name).stem, "dataset": dataset.name, "directions": counts}])


def _regrow(name: str, first: int, last: int, data: Sequence[str], cache: Path, output: Path) -> None:
    network = _compact(name)
    crops = Crops(prepare(tuple(data), (), cache, SCALE, 256), 256, SCALE, batch=48, seed=7)
    grown = regrow(network, crops[0][0], first, last)
    small = crops[1][0]
    change = (grown(small) - network(small)).square().mean().item()
    save_small(grown, output, {})
    print(f"{output}: {-10 * np.log10(change):.1f} dB to the result of {name}")


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


if __name__ == "__main__":
    main()
