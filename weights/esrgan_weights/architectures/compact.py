"""CompactNet in files: every training code names its tensors alike."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from math import isqrt

from esrgan_torch.engines.ncnn.draw_compact import draw_compact
from esrgan_torch.engines.ncnn.drawing import Graph
from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.compact import CompactNetConfig
from esrgan_torch.networks.registry import COMPACT
from esrgan_weights.architectures.base import (
    Files,
    NcnnForm,
    Shapes,
    Spelling,
    Tensors,
    convolution_shapes,
    convolution_sizes,
    read_only,
)
from esrgan_weights.errors import UnknownArchitectureError

TITLE = COMPACT.title
# tensors that tell a CompactNet: a convolution, a PReLU and a convolution
MARKS = ("body.0.weight", "body.0.bias", "body.1.weight", "body.2.weight")


def compact_modules(convolutions: int) -> list[tuple[str, tuple[str, ...]]]:
    """(module, its tensors) of a CompactNet, in graph order: convolution, PReLU, ..., convolution."""
    last = 2 * convolutions + 2
    return [(f"body.{place}", ("weight",) if place % 2 else ("weight", "bias")) for place in range(last + 1)]


def compact_tensor_names(keys: Iterable[str]) -> list[str]:
    """Every tensor that a CompactNet with these keys must have."""
    known = set(keys)
    found = [int(match[1]) for key in known if (match := re.fullmatch(r"body\.(\d{1,6})\.weight", key))]
    convolutions = (min(max(found), 2 * len(known)) - 2) // 2
    return [f"{module}.{kind}" for module, kinds in compact_modules(convolutions) for kind in kinds]


def compact_config(tensors: Tensors) -> CompactNetConfig:
    """Sizes of the CompactNet that has these tensors, complete.

    Raises:
        UnknownArchitectureError: no CompactNet has such tensors.
    """
    last = (len(tensors) - 2) // 3 * 2  # a convolution and a PReLU have three tensors together
    features, channels = convolution_sizes(tensors, "body.0.weight")
    outputs, _ = convolution_sizes(tensors, f"body.{last}.weight")
    squared, rest = divmod(outputs, channels)
    scale = isqrt(squared)
    if rest or scale**2 != squared:
        raise UnknownArchitectureError(
            f"{TITLE} of {channels} channels ends with {channels} times a square number of channels, "
            f"not {outputs}"
        )
    try:
        return CompactNetConfig(features, last // 2 - 1, scale, channels, channels)
    except ConfigError as error:
        raise UnknownArchitectureError(f"no {TITLE} of this project has such sizes: {error}") from error


def compact_shapes(config: CompactNetConfig) -> Shapes:
    """This project's name of each tensor -> its shape, in the order of the network's graph."""
    modules = compact_modules(config.convolutions)
    shapes: dict[str, tuple[int, ...]] = {}
    for place, (module, kinds) in enumerate(modules):
        if len(kinds) == 1:
            shapes[f"{module}.weight"] = (config.features,)
            continue
        inputs = config.features if place else config.in_channels
        last = place == len(modules) - 1
        shapes |= convolution_shapes(
            module, inputs, config.out_channels * config.scale**2 if last else config.features
        )
    return shapes


def _needed(keys: Collection[str]) -> Mapping[str, str]:
    return {name: name for name in compact_tensor_names(keys)}


def _config_of(tensors: Tensors, beside: Collection[str], unshuffle: int | None) -> CompactNetConfig:
    del beside, unshuffle
    return compact_config(tensors)


def _written(layout: str, config: CompactNetConfig, tensors: Tensors) -> Tensors:
    del layout, config
    return tensors


def _draw(graph: Graph, config: CompactNetConfig) -> None:
    draw_compact(graph, config, [module for module, _ in compact_modules(config.convolutions)])


def _ncnn_modules(kinds: Sequence[str], enlargements: int) -> list[str] | None:
    del enlargements
    modules = compact_modules(len(kinds) // 2 - 1)
    if list(kinds) != ["PReLU" if len(parts) == 1 else "Convolution" for _, parts in modules]:
        return None
    return [module for module, _ in modules]


FILES = Files(
    architecture=COMPACT,
    spellings=[Spelling("basicsr", TITLE, MARKS, _needed)],
    config_of=_config_of,
    shapes_of=compact_shapes,
    wrappers=read_only({"basicsr": "params", "neosr": "params-ema", "mmagic": "state_dict"}),
    written=_written,
    ncnn=NcnnForm(_draw, _ncnn_modules, lambda config: replace(config, features=2)),
)
