"""Which file is this: a published one, one that people have, or one that is taken for another."""

from dataclasses import dataclass
from pathlib import Path

from esrgan_weights import registry
from esrgan_weights.canonical import canonical_hash
from esrgan_weights.checkpoint import Checkpoint
from esrgan_weights.fetch_options import FetchOptions
from esrgan_weights.registry import Model
from esrgan_weights.sources.resolve import read_source


@dataclass(frozen=True)
class Identity:
    """What a file is known to be.

    Args:
        kind: "official", "community", "copy" (of official weights, saved again), "look-alike" or "unknown".
        text: the same in a sentence.
        model: the published model, where the weights are its.
    """

    kind: str
    text: str
    model: Model | None = None


@dataclass(frozen=True, eq=False)
class Inspection:
    """A checkpoint, what its file is known to be, and its size in bytes (the `.bin` for ncnn)."""

    checkpoint: Checkpoint
    identity: Identity
    size: int


def inspect(
    source: Path | str,
    *,
    offline: bool = False,
    cache: Path | str | None = None,
    progress: bool | None = None,
) -> Inspection:
    """Read a checkpoint and say what its file is.

    Args:
        source: a file, a model's name or an address; see `esrgan_weights.load`, as for the others.

    Raises:
        WeightsError: see `esrgan_weights.load`.
    """
    checkpoint = read_source(source, FetchOptions(cache, offline, progress))
    opened = checkpoint.path
    weights = opened.with_suffix(".bin") if checkpoint.container == "ncnn" else opened
    size = weights.stat().st_size
    canonical = canonical_hash(checkpoint)
    return Inspection(checkpoint, identify(weights.name, size, checkpoint.provenance.sha256, canonical), size)


def identify(name: str, size: int, sha256: str, canonical: str | None = None) -> Identity:
    """What a file of that name, size in bytes, sha256 and canonical hash of its weights is known to be."""
    published = [
        (model, alternative, file)
        for model in registry.models().values()
        for alternative in model.alternatives
        for file in alternative.files
    ]
    for model, alternative, file in published:
        if file.sha256 == sha256:
            return Identity("official", f"the published {file.name} of {model.name}{alternative.by}", model)
    for known in registry.known_files():
        if sha256.startswith(known.sha256):
            return Identity(known.kind, known.what)
    for model in registry.models().values():
        if canonical is not None and canonical == model.canonical:
            return Identity("copy", f"the weights of {model.name}, saved again in another file", model)
    for model, _, file in published:
        if file.name == name:
            return Identity(
                "look-alike", f"named like the published {file.name} of {model.name}, but another file"
            )
    # a network trained anew and saved by the same code has the same size, so that alone is no fault
    sized = [
        model.name
        for model, alternative, file in published
        if (file.size, alternative.layout) == (size, "basicsr")
    ]
    if sized:
        text = f"no published file that this project knows; it has the size of that of {' and '.join(sized)}"
        return Identity("unknown", text)
    return Identity("unknown", "no published file that this project knows")
