"""From the tensors of a candidate to a network: sizes inferred from shapes, everything checked."""

from collections.abc import Mapping

import torch
from torch import Tensor

from esrgan_weights.architectures.registry import shapes_of
from esrgan_weights.checkpoint import Config, title_of
from esrgan_weights.errors import CheckpointError
from esrgan_weights.recognition.candidates import Candidate
from esrgan_weights.recognition.layouts import SHOWN
from esrgan_weights.values import as_float32

SPARE = 1 << 26  # bytes by which tensors may show more than is stored


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
    given = {ours: found.tensors[theirs] for theirs, ours in found.names.items()}
    check_held(found.tensors)
    tensors = found.files.plain(given)
    config = found.files.config_of(tensors, found.idle, unshuffle)
    theirs = {ours: name for name, ours in found.names.items()}
    check_shapes(tensors, theirs, config)
    return config, {name: as_float32(tensor, theirs.get(name, name)) for name, tensor in tensors.items()}


def check_held(tensors: Mapping[str, Tensor]) -> None:
    """Compare the numbers that tensors show with those that are stored.

    A view may show one number in a billion places, and a network asks for a copy of its own.

    Raises:
        CheckpointError: they show far more than is stored.
    """
    shown = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    storages = {
        tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
        for tensor in tensors.values()
        if tensor.layout == torch.strided and tensor.device.type != "meta"
    }
    held = sum(storages.values())
    if shown > held + SPARE:
        raise CheckpointError(
            f"its tensors show {shown:,} bytes of numbers where {held:,} are stored: they are views that "
            "repeat them; save them again with tensor.clone()"
        )


def check_shapes(tensors: Mapping[str, Tensor], names: Mapping[str, str], config: Config) -> None:
    """Compare every tensor's shape with the network's.

    Args:
        tensors: the tensors, under this project's names.
        names: this project's name of a tensor -> the file's, where that is another.
        config: the network.

    Raises:
        CheckpointError: a shape differs; the first few are given.
    """
    expected = shapes_of(config)
    wrong = [
        f"{names.get(name, name)} {list(tensor.shape)} instead of {list(expected[name])}"
        for name, tensor in tensors.items()
        if tuple(tensor.shape) != expected[name]
    ]
    if wrong:
        raise CheckpointError(
            f"{len(wrong)} tensors have another shape than those of {title_of(config)}: "
            f"{'; '.join(wrong[:SHOWN])}{'; ...' if len(wrong) > SHOWN else ''}"
        )
