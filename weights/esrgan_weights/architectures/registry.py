"""The networks that this project knows in files; one line for each."""

from collections.abc import Iterator
from typing import Any

from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.registry import architecture_of
from esrgan_weights.architectures import compact, rrdb, span
from esrgan_weights.architectures.base import Files, Shapes, Spelling

ALL = (rrdb.FILES, compact.FILES, span.FILES)


def files_of(config: Any) -> Files:
    """Of the network with this configuration."""
    return next(files for files in ALL if files.architecture.config is type(config))


def shapes_of(config: Any) -> Shapes:
    """This project's name of each tensor -> its shape, in the order of the network's graph."""
    return files_of(config).shapes_of(config)


def spellings() -> Iterator[tuple[Files, Spelling]]:
    """Every way to name the tensors of a network, with the network's files."""
    for files in ALL:
        for spelling in files.spellings:
            yield files, spelling


def is_own(network: Generator) -> bool:
    """Whether it is a network of this project, so that files can hold it."""
    return architecture_of(network) is not None
