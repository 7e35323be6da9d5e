"""ncnn's `.param` and `.bin`: the graph as text, and the numbers of its layers one after the other.

In the `.bin`, each convolution has a 4-byte tag (0: float32, 0x01306B47: float16), its weights padded
to 4 bytes, and its bias in float32; each PReLU has its slopes in float32. Source: ncnn's modelbin.cpp,
and the official files of realesrgan-ncnn-vulkan.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from esrgan_torch.engines.ncnn.graph import FLOAT16, FLOAT32, INT8, Layer
from esrgan_weights.architectures.base import Files
from esrgan_weights.architectures.registry import ALL
from esrgan_weights.checkpoint import Config
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError
from esrgan_weights.formats.ncnn.compute import check_graph
from esrgan_weights.formats.ncnn.parse import parse
from esrgan_weights.recognition.infer import check_shapes
from esrgan_weights.values import as_float32

BICUBIC = 3  # of the layer Interp
LOWEST = float(np.finfo(np.float32).min)  # ncnn's default for the lower bound of a Clip


def pair(path: Path) -> tuple[Path, Path]:
    """The `.param` and the `.bin` of an ncnn model, given either.

    Raises:
        CheckpointError: the other one is missing.
    """
    param, weights = path.with_suffix(".param"), path.with_suffix(".bin")
    for one, other in ((param, weights), (weights, param)):
        if not one.is_file():
            raise CheckpointError(f"an ncnn model is two files, and {one.name} is not beside {other.name}")
    return param, weights


def read_ncnn(param: Path, weights: Path) -> tuple[Config, dict[str, Tensor], tuple[str, ...]]:
    """Read an ncnn model.

    Returns:
        The sizes, the tensors under this project's names in float32, and the types that are stored.

    Raises:
        UnknownArchitectureError: the graph is not that of a network of this project, or its numbers
            are stored in a type other than float32 and float16.
        CheckpointError: a file is truncated or damaged, or the two do not belong together.
        OSError: a file cannot be read.
    """
    layers = without_clip(parse(param.read_text(encoding="utf-8", errors="replace")))
    _check_kinds(layers)
    found, stored = _read_weights(layers, weights.read_bytes())
    files, names = _network(layers)
    tensors: dict[str, Tensor] = {}
    for module, values in zip(names, found.values(), strict=True):
        for kind, value in zip(("weight", "bias"), values, strict=False):
            tensors[f"{module}.{kind}"] = as_float32(value, f"{module}.{kind}")
    reorg = [layer.whole(0, 1) for layer in layers if layer.kind == "Reorg"]
    assert files.ncnn is not None
    config = files.config_of(tensors, files.ncnn.beside(layers), reorg[0] if reorg else 1)
    check_shapes(tensors, {}, config)
    check_graph(layers, names, config)
    return config, tensors, stored


def without_clip(layers: Sequence[Layer]) -> list[Layer]:
    """The graph without a last layer that only cuts the picture to 0 to 1, as whoever shows it does."""
    *rest, last = layers
    if rest and last.kind == "Clip" and last.number(0, LOWEST) <= 0 and last.number(1, -LOWEST) >= 1:
        return rest
    return list(layers)


def _check_kinds(layers: Sequence[Layer]) -> None:
    last = layers[-1]
    if last.kind == "Interp" and last.whole(0) == BICUBIC:
        raise UnknownArchitectureError(
            "its graph ends with a bicubic resize: it is a network of another scale, reduced afterwards. "
            "Use the network itself (realesr-animevideov3 is x4) and resize its picture"
        )
    for layer in layers:
        if layer.kind != "Convolution":
            continue
        side = layer.whole(1)
        steps = (layer.whole(11, side), layer.whole(2, 1), layer.whole(3, 1), layer.whole(4), layer.whole(5))
        if side not in (1, 3) or steps != (side, 1, 1, side // 2, 1):
            raise UnknownArchitectureError(
                f"{layer.name} is not a 3x3 convolution with stride 1, padding 1 and a bias, nor a 1x1 one "
                "without padding"
            )


def _read_weights(
    layers: Sequence[Layer], content: bytes
) -> tuple[dict[str, tuple[Tensor, ...]], tuple[str, ...]]:
    """The tensors of each layer that has some, by its name, in the graph's order."""
    place = 0
    stored: set[str] = set()
    found: dict[str, tuple[Tensor, ...]] = {}

    def take(count: int, dtype: str) -> Tensor:
        nonlocal place
        size = count * np.dtype(dtype).itemsize
        if count < 1 or place + size > len(content):
            raise CheckpointError(
                f"the .bin is truncated, or is not the .param's: it ends within {layer.name}"
            )
        values = torch.from_numpy(np.frombuffer(content, dtype, count, place).astype(np.float32))
        place += size + -size % 4
        return values

    for layer in layers:
        if layer.kind == "Convolution":
            outputs, count, side = layer.whole(0), layer.whole(6), layer.whole(1)
            if outputs < 1 or count < 1 or count % (side**2 * outputs):
                raise CheckpointError(f"{layer.name} has {count} weights for {outputs} output channels")
            tag = int.from_bytes(content[place : place + 4], "little")
            place += 4
            if tag not in (FLOAT32, FLOAT16):
                kind = "int8" if tag == INT8 else f"an unknown type (tag 0x{tag:08X})"
                raise UnknownArchitectureError(
                    f"{layer.name} stores its weights as {kind}; this project reads float32 and float16"
                )
            stored.add("float16" if tag else "float32")
            weight = take(count, "<f2" if tag else "<f4").reshape(outputs, -1, side, side)
            found[layer.name] = (weight, take(outputs, "<f4"))
        elif layer.kind == "PReLU":
            found[layer.name] = (take(layer.whole(0), "<f4"),)
    if place != len(content):
        raise CheckpointError(f"the .bin has {len(content) - place} bytes more than the .param describes")
    return found, tuple(sorted(stored))


def _network(layers: Sequence[Layer]) -> tuple[Files, list[str]]:
    """The network that the graph announces, and its name of each layer that has weights, in order."""
    kinds = [layer.kind for layer in layers if layer.kind in ("Convolution", "PReLU")]
    enlargements = sum(layer.kind == "Interp" for layer in layers)
    known: list[str] = []
    for files in ALL:
        if files.ncnn is None:
            continue
        modules = files.ncnn.modules(kinds, enlargements)
        if modules is not None:
            return files, modules
        known.append(files.architecture.title)
    raise UnknownArchitectureError(
        f"its graph ({kinds.count('Convolution')} convolutions, {kinds.count('PReLU')} PReLU) is neither "
        f"{' nor '.join(known)}"
    )
