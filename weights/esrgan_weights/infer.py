"""From the tensors of a candidate to a network: sizes inferred from shapes, everything checked."""

from collections.abc import Mapping
from math import isqrt

from torch import Tensor

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.compact import CompactNetConfig
from esrgan_torch.networks.rrdb import RRDBNetConfig
from esrgan_weights.candidates import Candidate
from esrgan_weights.checkpoint import COMPACT, ESRGAN, Config, title_of
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError
from esrgan_weights.layouts import COMPACT_MARKS, SHOWN
from esrgan_weights.shapes import shapes_of
from esrgan_weights.values import as_float32


def network_of(found: Candidate, unshuffle: int | None = None) -> tuple[Config, dict[str, Tensor]]:
    """Sizes of a candidate's network, and its tensors under this project's names, float32.

    Args:
        found: the candidate.
        unshuffle: what the file states of it; believed where the tensors can be those of such a network.

    Raises:
        UnknownArchitectureError: no network of this project has such sizes.
        CheckpointError: a tensor is missing, unexpected, of a wrong shape or type, or not finite.
    """
    found.check()
    tensors = {ours: found.tensors[theirs] for theirs, ours in found.names.items()}
    config = config_of(tensors, unshuffle)
    check_shapes(found.tensors, found.names, config)
    return config, {ours: as_float32(found.tensors[theirs], theirs) for theirs, ours in found.names.items()}


def config_of(tensors: Mapping[str, Tensor], unshuffle: int | None = None) -> Config:
    """Sizes of the network that has these tensors, complete and under this project's names.

    Args:
        tensors: the network's tensors.
        unshuffle: what the file states of it; believed where the tensors can be those of such a network.

    Raises:
        UnknownArchitectureError: no network of this project has such tensors.
    """
    if set(COMPACT_MARKS) <= set(tensors):
        return compact_config(tensors)
    if unshuffle is not None:
        try:
            return rrdb_config(tensors, unshuffle)
        except UnknownArchitectureError:
            pass  # what is stated belongs to other tensors: what these are shows in their shapes
    return rrdb_config(tensors)


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
        raise UnknownArchitectureError(f"{ESRGAN} unshuffles by 2 or 4, not by {unshuffle}")
    in_channels, rest = divmod(folded, unshuffle**2)
    scale, remainder = divmod(enlargement, unshuffle)
    if rest or remainder:
        raise UnknownArchitectureError(
            f"{folded} input channels do not fit an unshuffle of {unshuffle} and {enlargement}x upsampling"
        )
    try:
        return RRDBNetConfig(features, blocks, growth, scale, in_channels, out_channels, unshuffle)
    except ConfigError as error:
        raise UnknownArchitectureError(f"no {ESRGAN} of this project has such sizes: {error}") from error


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
            f"{COMPACT} of {channels} channels ends with {channels} times a square number of channels, "
            f"not {outputs}"
        )
    try:
        return CompactNetConfig(features, last // 2 - 1, scale, channels, channels)
    except ConfigError as error:
        raise UnknownArchitectureError(f"no {COMPACT} of this project has such sizes: {error}") from error


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
    expected = shapes_of(config)
    wrong = [
        f"{theirs} {list(tensors[theirs].shape)} instead of {list(expected[ours])}"
        for theirs, ours in names.items()
        if tuple(tensors[theirs].shape) != expected[ours]
    ]
    if wrong:
        raise CheckpointError(
            f"{len(wrong)} tensors have another shape than those of {title_of(config)}: "
            f"{'; '.join(wrong[:SHOWN])}{'; ...' if len(wrong) > SHOWN else ''}"
        )
