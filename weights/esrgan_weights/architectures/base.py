"""What has to be known of a network to find it in a file, to read it and to write it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Tensor

from esrgan_torch.engines.ncnn.drawing import Graph
from esrgan_torch.engines.ncnn.graph import Layer
from esrgan_torch.networks.registry import Architecture
from esrgan_weights.errors import CheckpointError

Shapes = Mapping[str, tuple[int, ...]]
Tensors = Mapping[str, Tensor]


def _none(_: object) -> Collection[str]:
    return ()


def _as_they_are(tensors: Tensors) -> Tensors:
    return tensors


def _no_notes(path: Path, config: Any) -> tuple[str, ...]:
    del path, config
    return ()


@dataclass(frozen=True)
class Spelling:
    """One way to name a network's tensors.

    Args:
        layout: what the way is called: "basicsr", "old-arch", ...
        title: the network and its names, for messages.
        marks: tensors that tell it from all others; the first is looked for in every name of a file.
        names: from the names that are there to those that must be, each with this project's name.
        idle: of the names that are there, those that may stand beside them and are not read.
    """

    layout: str
    title: str
    marks: Sequence[str]
    names: Callable[[Collection[str]], Mapping[str, str]]
    idle: Callable[[Collection[str]], Collection[str]] = _none


@dataclass(frozen=True)
class NcnnForm:
    """The network as an ncnn graph.

    Args:
        draw: adds the layers of a network of these sizes to a graph.
        modules: the module of each layer that has weights, given the kinds of those layers ("Convolution",
            "PReLU") and the number of enlargements in the graph; None where they are not this network's.
        narrow: the same network with a few channels, on which graphs are compared.
        beside: what the graph says that files of other kinds say by an entry beside the tensors.
    """

    draw: Callable[[Graph, Any], None]
    modules: Callable[[Sequence[str], int], list[str] | None]
    narrow: Callable[[Any], Any]
    beside: Callable[[Sequence[Layer]], Collection[str]] = _none


@dataclass(frozen=True)
class Files:
    """How files hold one network of this project.

    Args:
        architecture: the network.
        spellings: the ways to name its tensors.
        config_of: its sizes from tensors that are complete and under this project's names; what stands idle
            beside them; and the unshuffle that the file states, or None. Raises `UnknownArchitectureError`.
        shapes_of: from sizes to this project's name of each tensor and its shape, in the order of the graph.
        wrappers: for each layout that can hold it, the key that the tensors are put under when they are
            written, or "" for none.
        written: (layout, sizes, tensors under this project's names) -> tensors as that layout names them;
            "safetensors" is this project's own.
        plain: what the spellings' names give -> the tensors of the network as it runs.
        notes: what the tensors of a file of this name leave open. Raises `UnknownArchitectureError`.
        ncnn: its graph; None where there is none.
    """

    architecture: Architecture
    spellings: Sequence[Spelling]
    config_of: Callable[[Tensors, Collection[str], int | None], Any]
    shapes_of: Callable[[Any], Shapes]
    wrappers: Mapping[str, str]
    written: Callable[[str, Any, Tensors], Tensors]
    plain: Callable[[Tensors], Tensors] = _as_they_are
    notes: Callable[[Path, Any], tuple[str, ...]] = _no_notes
    ncnn: NcnnForm | None = field(default=None)


def convolution_sizes(tensors: Tensors, name: str) -> tuple[int, int]:
    """(output, input) channels of a convolution.

    Raises:
        CheckpointError: its weight does not have four sizes, or one of them is 0.
    """
    shape = tensors[name].shape
    if len(shape) != 4 or 0 in shape:
        raise CheckpointError(
            f"{name} has the shape {list(shape)} where a convolution has four sizes of at least 1"
        )
    return shape[0], shape[1]


def convolution_shapes(module: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    """Of a 3x3 convolution's weight and bias."""
    return {f"{module}.weight": (outputs, inputs, 3, 3), f"{module}.bias": (outputs,)}


def read_only(layouts: Mapping[str, str]) -> Mapping[str, str]:
    """The same, unchangeable."""
    return MappingProxyType(dict(layouts))
