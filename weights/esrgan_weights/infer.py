"""From named tensors to a network: names translated, sizes inferred from shapes, everything checked."""

from collections.abc import Mapping
from math import isqrt

import torch
from torch import Tensor

from esrgan_torch.config import CompactNetConfig, RRDBNetConfig
from esrgan_torch.errors import ConfigError
from esrgan_weights import foreign
from esrgan_weights.checkpoint import Config, architecture_of, empty_network
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError
from esrgan_weights.layouts import (
    SHOWN,
    check_names,
    compact_tensor_names,
    is_compact,
    recognise,
    rrdb_tensor_names,
)

FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
OPENING = 6  # names shown of a file that nothing recognises


def understand(tensors: Mapping[str, Tensor]) -> tuple[str, Config, dict[str, Tensor]]:
    """Recognise the tensors of one network, wrappers and prefixes taken off.

    Returns:
        The layout's name, the sizes, and the tensors under this project's names, float32.

    Raises:
        UnknownArchitectureError: they are not those of an RRDBNet or a CompactNet.
        CheckpointError: a tensor is missing, unexpected, of a wrong shape or type, or not finite.
    """
    if is_compact(tensors):
        names = {name: name for name in compact_tensor_names(tensors)}
        check_names(tensors, names, "CompactNet")
        layout = "basicsr"
        config: Config = compact_config(tensors)
    else:
        layout, names = _rrdb_names(tensors)
        check_names(tensors, names, f"RRDBNet ({layout} names)")
        config = rrdb_config({ours: tensors[theirs] for theirs, ours in names.items()})
    check_shapes(tensors, names, config)
    return layout, config, {ours: as_float32(tensors[theirs], theirs) for theirs, ours in names.items()}


def _rrdb_names(tensors: Mapping[str, Tensor]) -> tuple[str, dict[str, str]]:
    what = foreign.name_of(tensors)
    if what:
        raise UnknownArchitectureError(f"it is {what}; this project reads RRDBNet and CompactNet")
    layout = recognise(tensors)
    if layout is None:
        names = list(tensors)
        shown = ", ".join(names[:OPENING]) + (", ..." if len(names) > OPENING else "")
        raise UnknownArchitectureError(
            f"it is neither an RRDBNet nor a CompactNet in any known layout; its tensors are {shown}"
        )
    blocks, upsamplings = layout.rrdb.count(tensors)
    return layout.name, rrdb_tensor_names(layout, blocks, upsamplings)


def rrdb_config(tensors: Mapping[str, Tensor], unshuffle: int | None = None) -> RRDBNetConfig:
    """Sizes of the RRDBNet that has these tensors, complete and under this project's names.

    Args:
        tensors: the network's tensors.
        unshuffle: where it is known; None: 2 or 4 if the first convolution has 4 or 16 times as many
            channels as the last one gives, as in Real-ESRGAN, else 1.

    Raises:
        UnknownArchitectureError: no RRDBNet has such tensors.
    """
    features, folded = _convolution(tensors, "conv_first.weight")
    out_channels, _ = _convolution(tensors, "conv_last.weight")
    growth, _ = _convolution(tensors, "body.0.rdb1.conv1.weight")
    blocks = sum(name.startswith("body.") for name in tensors) // 30  # 15 weights, 15 biases
    enlargement = 2 ** sum(name.startswith("conv_up") and name.endswith(".weight") for name in tensors)
    if unshuffle is None:
        unshuffle = {4 * out_channels: 2, 16 * out_channels: 4}.get(folded, 1)
        if enlargement < unshuffle:  # the tail could not undo it, so the channels mean something else
            unshuffle = 1
    if unshuffle not in (1, 2, 4):
        raise UnknownArchitectureError(f"an RRDBNet unshuffles by 2 or 4, not by {unshuffle}")
    in_channels, rest = divmod(folded, unshuffle**2)
    scale, remainder = divmod(enlargement, unshuffle)
    if rest or remainder:
        raise UnknownArchitectureError(
            f"{folded} input channels do not fit an unshuffle of {unshuffle} and {enlargement}x upsampling"
        )
    try:
        return RRDBNetConfig(features, blocks, growth, scale, in_channels, out_channels, unshuffle)
    except ConfigError as error:
        raise UnknownArchitectureError(f"no RRDBNet of this project has such sizes: {error}") from error


def compact_config(tensors: Mapping[str, Tensor]) -> CompactNetConfig:
    """Sizes of the CompactNet that has these tensors, complete.

    Raises:
        UnknownArchitectureError: no CompactNet has such tensors.
    """
    last = (len(tensors) - 2) // 3 * 2  # a convolution and a PReLU have three tensors together
    features, channels = _convolution(tensors, "body.0.weight")
    outputs, _ = _convolution(tensors, f"body.{last}.weight")
    squared, rest = divmod(outputs, channels)
    scale = isqrt(squared)
    if rest or scale**2 != squared:
        raise UnknownArchitectureError(
            f"a CompactNet of {channels} channels ends with {channels} times a square number of channels, "
            f"not {outputs}"
        )
    try:
        return CompactNetConfig(features, last // 2 - 1, scale, channels, channels)
    except ConfigError as error:
        raise UnknownArchitectureError(f"no CompactNet of this project has such sizes: {error}") from error


def _convolution(tensors: Mapping[str, Tensor], name: str) -> tuple[int, int]:
    """(output, input) channels of a convolution."""
    shape = tensors[name].shape
    if len(shape) != 4:
        raise CheckpointError(f"{name} has the shape {list(shape)} where a convolution has four sizes")
    return shape[0], shape[1]


def check_shapes(tensors: Mapping[str, Tensor], names: Mapping[str, str], config: Config) -> None:
    """Compare every tensor's shape with the network's.

    Args:
        tensors: the tensors, under the file's names.
        names: the file's name of each tensor -> this project's name.
        config: the network.

    Raises:
        CheckpointError: a shape differs; the first few are given.
    """
    expected = empty_network(config).state_dict()
    wrong = [
        f"{theirs} {list(tensors[theirs].shape)} instead of {list(expected[ours].shape)}"
        for theirs, ours in names.items()
        if tensors[theirs].shape != expected[ours].shape
    ]
    if wrong:
        raise CheckpointError(
            f"{len(wrong)} tensors have another shape than those of {architecture_of(config)}: "
            f"{'; '.join(wrong[:SHOWN])}{'; ...' if len(wrong) > SHOWN else ''}"
        )


def as_float32(tensor: Tensor, name: str) -> Tensor:
    """The tensor as contiguous float32.

    Raises:
        CheckpointError: it holds something else than floating-point numbers, or NaN or infinity.
    """
    if tensor.dtype not in FLOATS:
        kind = str(tensor.dtype).removeprefix("torch.")
        raise CheckpointError(f"{name} holds {kind} numbers; a network needs floating-point ones")
    result = tensor.detach().to(torch.float32).contiguous()
    if not bool(torch.isfinite(result).all()):
        raise CheckpointError(f"{name} holds NaN or infinity: the file is damaged, or its training failed")
    return result
