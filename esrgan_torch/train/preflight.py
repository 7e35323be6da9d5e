"""What a run will need, checked before its first step: no night should end in an error of an option."""

import os
import shutil
from pathlib import Path

import torch
from torch import nn

from esrgan_torch.errors import ConfigError
from esrgan_torch.storage.leftovers import END, mark
from esrgan_torch.train.assemble import Parts
from esrgan_torch.train.data.cache import in_words
from esrgan_torch.train.options import Options

_COMPILERS = ("g++", "clang++", "c++", "cl")


def check_compiler(options: Options, device: torch.device) -> None:
    """Raise `ConfigError` where the step is to be compiled for a processor and there is no compiler."""
    if not options.compiled or device.type != "cpu":
        return
    if not any(shutil.which(name) for name in (os.environ.get("CXX", ""), *_COMPILERS) if name):
        raise ConfigError(
            f"compiled = true needs a C++ compiler on a processor ({', '.join(_COMPILERS)}); install one, "
            "or set it to false"
        )


def check_disk(options: Options, folder: Path, parts: Parts) -> None:
    """Raise `ConfigError` where the folder cannot be written, or its disk does not hold the checkpoints."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{mark()}{END}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"the run's folder {folder} cannot be written: {error.strerror or error}"
        ) from error
    size = checkpoint_bytes(options, parts)
    free = shutil.disk_usage(folder).free
    if size * (options.keep + 1) > free:
        raise ConfigError(
            f"a checkpoint takes {in_words(size)}, and {options.keep} are kept beside the one that is "
            f"written; the disk of {folder} has {in_words(free)}; free some space, or set a smaller keep"
        )


def checkpoint_bytes(options: Options, parts: Parts) -> int:
    """About what one checkpoint takes: weights, their average, and two moments of each."""
    generator = _bytes(parts.generator)
    total = 2 * generator + 2 * generator
    if options.optimiser.kind == "SOAP":
        # covariances and eigenvectors of rows and columns
        sides = [
            (weight.shape[0], weight[0].numel())
            for weight in parts.generator.parameters()
            if weight.dim() > 1
        ]
        total += sum(2 * 4 * (rows**2 + columns**2) for rows, columns in sides)
    if parts.judge is not None:
        total += 3 * _bytes(parts.judge)
    return total


def _bytes(network: nn.Module) -> int:
    return sum(value.numel() * value.element_size() for value in network.state_dict().values())
