"""The network that a run starts with: new weights, or those of another run or a published model."""

from collections.abc import Callable
from dataclasses import asdict

import torch

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.registry import architecture_of, names
from esrgan_torch.networks.reparameterised import TrainingForm
from esrgan_torch.train.initial import starts_of
from esrgan_torch.train.options import NetworkOptions

CHANNELS = 3
_MOST_NAMES = 5  # of tensors, in a message


def make_generator(
    options: NetworkOptions, initial: Generator | None, tell: Callable[[str], object]
) -> Generator:
    """The generator; random weights come from PyTorch's global numbers.

    Args:
        options: its sizes, and whether `initial` has to have the same.
        initial: the network to start from; None: new weights.
        tell: is given a sentence about what was left out of `initial`.

    Raises:
        ConfigError: `initial` is another network than that of the options.
    """
    generator = options.build()
    if initial is None:
        starts_of(options.kind)[options.init](generator)
        return generator
    theirs = architecture_of(initial)
    name = f"network.initial = {options.initial!r}" if options.initial else "the initial network"
    if theirs is None:
        raise ConfigError(f"{name} is a {type(initial).__name__}, and {names(', ')} are trained")
    same = theirs.name == options.kind and initial.config == generator.config
    if same:
        _take(generator, initial)
        return generator
    described = (
        f"{name} is a {theirs.name} with {sizes_of(initial)}, and the recipe's is a {options.kind} with "
        f"{sizes_of(generator)}"
    )
    if initial.in_channels != CHANNELS or initial.out_channels != CHANNELS:
        raise ConfigError(f"{name} is for pictures of {initial.in_channels} channels, and RGB is trained on")
    if options.strict:
        raise ConfigError(
            f"{described}; leave the recipe's sizes out to take those of the network, or set "
            "network.strict=false to take what fits"
        )
    return _take_what_fits(options, initial, described, tell)


def sizes_of(network: Generator) -> str:
    """Such as "features 64, blocks 23, growth 32, scale 4"; what is as usual is left out."""
    config: dict[str, object] = asdict(network.config)
    usual = {"in_channels": CHANNELS, "out_channels": CHANNELS, "unshuffle": 1}
    return ", ".join(f"{size} {value}" for size, value in config.items() if usual.get(size) != value)


def _take(generator: Generator, initial: Generator) -> None:
    if isinstance(generator, TrainingForm):
        generator.adopt(initial)
    else:
        generator.load_state_dict(initial.state_dict())


def _take_what_fits(
    options: NetworkOptions, initial: Generator, described: str, tell: Callable[[str], object]
) -> Generator:
    """New weights, and over them every tensor of `initial` whose name and shape are there."""
    generator = options.build()
    architecture = architecture_of(options.kind)
    assert architecture is not None
    plain = architecture.network(**options.sizes())
    starts_of(options.kind)[options.init](plain)
    ours, given = plain.state_dict(), initial.state_dict()
    fitting = {
        tensor: value
        for tensor, value in given.items()
        if tensor in ours and ours[tensor].shape == value.shape
    }
    if not fitting:
        raise ConfigError(f"{described}: nothing of it fits")
    with torch.no_grad():
        plain.load_state_dict({**ours, **fitting})
    _take(generator, plain)
    left, new = sorted(given.keys() - fitting.keys()), sorted(ours.keys() - fitting.keys())
    tell(
        f"{described}; {len(fitting)} of its {len(given)} tensors fit and were taken; left out: "
        f"{_listed(left)}; new: {_listed(new)}"
    )
    return generator


def _listed(tensors: list[str]) -> str:
    if not tensors:
        return "none"
    more = f" and {len(tensors) - _MOST_NAMES} more" if len(tensors) > _MOST_NAMES else ""
    return ", ".join(tensors[:_MOST_NAMES]) + more
