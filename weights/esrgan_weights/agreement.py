"""Whether two published files of one model hold the same weights, where the cache has both.

A copy that somebody else published is the model's by that one's word. Where the author's file is there
too, its tensors say more.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from esrgan_weights.cache import difference, model_folder
from esrgan_weights.formats.read import read_checkpoint
from esrgan_weights.registry import Alternative, Model


def agreement(model: Model, copy: Alternative, cache: Path | str | None = None) -> str | None:
    """What the author's file says of a copy, in a sentence without its subject.

    Args:
        model: the published model.
        copy: one of its alternatives, with a `publisher`.
        cache: folder of fetched models.

    Returns:
        Such as "the same numbers as NAME.pth, rounded to float16"; None unless both are whole in the cache.

    Raises:
        CheckpointError: one of them cannot be read.
    """
    folder = model_folder(model, cache)
    author = next((item for item in model.alternatives if item.publisher is None and not item.package), None)
    if author is None or not all(_whole(folder, item) for item in (author, copy)):
        return None
    original, copied = (read_checkpoint(folder / item.files[0].name) for item in (author, copy))
    name = author.files[0].name
    if original.config != copied.config:
        return f"another network than {name}"
    return f"{compare(original.tensors, copied.tensors)} {name}"


def compare(original: Mapping[str, Tensor], copied: Mapping[str, Tensor]) -> str:
    """How the tensors of a copy stand to the original's of the same names and shapes."""
    if all(torch.equal(original[name], tensor) for name, tensor in copied.items()):
        return "the same numbers as"
    # ncnn stores a convolution's weights in float16, and biases and slopes in float32
    if all(
        torch.equal(original[name], tensor) or torch.equal(original[name].half().float(), tensor)
        for name, tensor in copied.items()
    ):
        return "rounded to float16, the same numbers as"
    largest = max(float((original[name] - tensor).abs().max()) for name, tensor in copied.items())
    return f"weights that differ by up to {largest:.2g} from those of"


def _whole(folder: Path, alternative: Alternative) -> bool:
    paths = [(folder / file.name, file) for file in alternative.files]
    return all(path.is_file() and difference(path, file) is None for path, file in paths)
