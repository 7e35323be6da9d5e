"""From what people name to a checkpoint: a model, an address, a file, tensors in memory."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from esrgan_torch.networks.base import Provenance
from esrgan_torch.storage.paths import exists, expanded
from esrgan_weights import own, registry
from esrgan_weights.cache import model_folder
from esrgan_weights.checkpoint import Checkpoint
from esrgan_weights.errors import CheckpointError
from esrgan_weights.fetch_options import DEFAULT, FetchOptions
from esrgan_weights.formats.memory import read_state_dict, read_stream
from esrgan_weights.formats.read import read_checkpoint
from esrgan_weights.registry import Model
from esrgan_weights.sources.addresses import HUB_SCHEME, is_address
from esrgan_weights.sources.fetching import obtain
from esrgan_weights.sources.hub import fetch_hub
from esrgan_weights.sources.remote import fetch_url

Source = str | Path | Mapping[str, object] | IO[bytes]


@dataclass(frozen=True)
class Located:
    """A file that was named.

    Args:
        path: where it is; the `.param` of ncnn's two.
        sha256: of it (of the `.bin` for ncnn), where it was computed on the way.
        model: the published model whose file it is, where it was named so.
    """

    path: Path
    sha256: str | None = None
    model: Model | None = None


def read_source(source: Source, options: FetchOptions = DEFAULT) -> Checkpoint:
    """Read what `source` names; errors as of `esrgan_weights.load`."""
    if isinstance(source, Mapping):
        return read_state_dict(source)
    if not isinstance(source, str | os.PathLike):
        return read_stream(source)
    return read_located(source, locate(source, options))


def read_located(source: str | os.PathLike[str], found: Located) -> Checkpoint:
    """Read the file that `locate` found for `source`."""
    checkpoint = read_checkpoint(found.path, sha256=found.sha256)
    return replace(checkpoint, provenance=provenance_of(source, found, checkpoint.provenance))


def provenance_of(source: str | os.PathLike[str], found: Located, stated: Provenance) -> Provenance:
    """What the registry, the name of an own model, or an address adds to what a file says."""
    if found.model:
        return replace(stated, name=found.model.name, licence=found.model.licence, source=found.model.source)
    if not isinstance(source, str):
        return stated
    if is_address(source):
        # what follows a question mark may be a key
        return replace(stated, source=stated.source or source.split("?")[0])
    return replace(stated, name=source) if own.path_of(source) else stated


def locate(source: str | os.PathLike[str], options: FetchOptions = DEFAULT) -> Located:
    """The file that `source` names, fetched if need be; errors as of `esrgan_weights.load`."""
    if isinstance(source, str):
        model = published_model(source)
        if model:
            alternative = obtain(model, options)
            path = model_folder(model, options.cache) / alternative.files[0].name
            return Located(path, alternative.weights.sha256, model)
        if source.lower().startswith(HUB_SCHEME):
            return Located(fetch_hub(source, options))
        if is_address(source):
            return Located(*fetch_url(source, options))
        kept = own.path_of(source)
        if kept:
            return Located(kept)
    return Located(existing_file(source))


def published_model(name: str) -> Model | None:
    """The published model of that name; a file or an own model goes before the stem of a published file."""
    if name in registry.models():
        return registry.find(name)
    if name in registry.aliases() and not exists(name) and not own.path_of(name):
        return registry.find(name)
    return None


def existing_file(name_or_path: str | os.PathLike[str]) -> Path:
    """The file that a user means.

    Raises:
        CheckpointError: it looks like a path, and there is no such file.
        UnknownModelError: it looks like a model's name, and there is no such model.
    """
    path = expanded(os.fspath(name_or_path))
    if exists(path):
        return path
    text = str(name_or_path)
    if not isinstance(name_or_path, str) or "/" in text or "\\" in text or text.lower().endswith(own.FILES):
        published = registry.aliases().get(path.stem)
        hint = f"; the published model is called {published}" if published else ""
        raise CheckpointError(f"{path}: there is no such file{hint}")
    registry.find(text)  # raises, and names the nearest models
    return path


def known_scale(name: str) -> int | None:
    """The scale of a published or own model, or None where only reading the file would tell."""
    model = registry.models().get(registry.aliases().get(name, name))
    if model:
        return model.scale
    path = None if is_address(name) else own.path_of(name)
    return own.OwnModel(name, path, own.facts_of(path)).scale if path else None
