"""What a checkpoint file holds, once it is understood, and the network it makes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from esrgan_torch.networks.base import Generator, Provenance
from esrgan_weights.architectures.registry import files_of
from esrgan_weights.values import copy_of

Config = Any  # the frozen dataclass of sizes of a network in `esrgan_torch.networks.registry`


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A checkpoint file, read and checked.

    Args:
        path: the file.
        container: "pickle", "safetensors" or "ncnn".
        wrapper: the keys that lead to the tensors inside, such as "params_ema"; "" if there are none.
        config: sizes of the network.
        tensors: float32 tensors under the project's own names (those of BasicSR), finite, with the
            shapes that `config` asks for.
        stored: the types that the file stores, such as ("float16", "float32").
        provenance: where the weights come from.
        notes: what a reader should know about this file, in sentences.
        others: ways to the other networks of this project that the file holds, such as "params".
        metadata: what the file states about itself, such as "recipe" and "metrics" (safetensors only).
    """

    path: Path
    container: str
    wrapper: str
    config: Config
    tensors: Mapping[str, Tensor]
    stored: tuple[str, ...]
    provenance: Provenance
    notes: tuple[str, ...] = field(default=())
    others: tuple[str, ...] = field(default=())
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def architecture(self) -> str:
        """The network's name, such as "RRDBNet"."""
        return architecture_of(self.config)

    @property
    def parameters(self) -> int:
        """How many numbers the network holds."""
        return sum(tensor.numel() for tensor in self.tensors.values())

    def build(self) -> Generator:
        """The network: float32 on the CPU, in evaluation mode, parameters frozen."""
        return build(self.config, self.tensors, self.provenance)


def architecture_of(config: Config) -> str:
    """The network's name in files, recipes and records, such as "RRDBNet"."""
    return files_of(config).architecture.name


def title_of(config: Config) -> str:
    """The network's name as users know it, such as "ESRGAN (RRDBNet)"."""
    return files_of(config).architecture.title


def empty_network(config: Config) -> Generator:
    """The network of that configuration, without memory for its parameters."""
    with torch.device("meta"):  # no random numbers are drawn either
        return files_of(config).architecture.network(**asdict(config))


def build(config: Config, tensors: Mapping[str, Tensor], provenance: Provenance | None) -> Generator:
    """The network of that configuration with copies of those tensors, evaluation mode, frozen."""
    model = empty_network(config)
    model.load_state_dict({name: copy_of(tensor) for name, tensor in tensors.items()}, assign=True)
    model.requires_grad_(False)
    model.provenance = provenance
    return model.eval()
