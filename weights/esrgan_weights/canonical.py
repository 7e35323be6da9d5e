"""A hash of a network's numbers, whatever file they are in: how a re-saved copy is known."""

import hashlib
from collections.abc import Mapping

import numpy as np
from torch import Tensor

from esrgan_torch.errors import ConfigError, WeightsError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.registry import names
from esrgan_weights.architectures.registry import is_own
from esrgan_weights.checkpoint import Checkpoint
from esrgan_weights.values import as_float32, rounded, to_numpy

PRECISIONS = ("float32", "float16", "bfloat16")


def canonical_hash(source: Generator | Checkpoint | Mapping[str, Tensor], precision: str = "float16") -> str:
    """SHA-256, in hexadecimal, of a network's tensors under this project's names.

    In float16, the default, it is the same for a file and for every copy of it in float32 or float16, in any
    layout: the official ncnn files have that of the official .pth, since rounding twice changes nothing. In
    float32 it tells whether two files have the very same numbers. A copy in bfloat16 has, in bfloat16, the
    hash of what it was made from.

    Args:
        source: a network of this project, a checkpoint, or tensors under this project's names.
        precision: "float32", "float16" or "bfloat16": what the numbers are rounded to first.

    Raises:
        ConfigError: another precision.
        WeightsError: a network of another project.
    """
    if precision not in PRECISIONS:
        raise ConfigError(f"precision must be one of {', '.join(PRECISIONS)}, not {precision!r}")
    digest = hashlib.sha256()
    tensors = _tensors(source)
    for name in sorted(tensors):
        values = to_numpy(rounded(as_float32(tensors[name], name), precision))
        # plus zero: -0.0 and 0.0 are one number
        digest.update(f"{name} {list(values.shape)}\n".encode())
        digest.update((values + np.float32(0)).astype("<f4").tobytes())
    return digest.hexdigest()


def _tensors(source: Generator | Checkpoint | Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    if isinstance(source, Checkpoint):
        return source.tensors
    if not isinstance(source, Generator):
        return source
    if is_own(source):
        return source.state_dict()
    raise WeightsError(f"only {names(' and ')} have a canonical hash, not {type(source).__name__}")
