"""From what people name to a checkpoint: a model, an address, a file, tensors in memory."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO

from esrgan_torch.networks.base import Provenance
from esrgan_torch.storage.paths import exists, expanded
from esrgan_weights import own, registry
from esrgan_weights.cache import model_folder
from esrgan_weights.checkpoint import Checkpoint
from esrgan_weights.errors import CheckpointError
from esrgan_weights.formats.memory import read_state_dict, read_stream
from esrgan_weights.formats.read import read_checkpoint
from esrgan_weights.registry import Model
from esrgan_weights.sources.addresses import is_address
from esrgan_weights.sources.fetching import obtain
from esrgan_weights.sources.hub import fetch_hub
from esrgan_weights.sources.remote import fetch_url

Source = str | Path | Mapping[str, object] | IO[bytes]


def read_source(
    source: Source,
    *,
    offline: bool = False,
    cache: Path | str | None = None,
    progress: bool | None = None,
) -> Checkpoint:
    """Read what `source` names; arguments and errors as of `esrgan_weights.load`."""
    if isinstance(source, Mapping):
        return read_state_dict(source)
    if not isinstance(source, str | os.PathLike):
        return read_stream(source)
    if not isinstance(source, str):
        return read_checkpoint(existing_file(source))
    model = _published_model(source)
    if model:
        return _published(model, offline, cache, progress)
    checkpoint = read_checkpoint(locate(source, offline=offline, cache=cache, progress=progress))
    return replace(checkpoint, provenance=provenance_of(source, checkpoint.provenance))


def provenance_of(source: str | Path, found: Provenance) -> Provenance:
    """What the name of an own model and an address add to what a file says."""
    if not isinstance(source, str):
        return found
    if is_address(source):
        # what follows a question mark may be a key
        return replace(found, source=found.source or source.split("?")[0])
    return replace(found, name=source) if own.path_of(source) else found


def locate(
    source: str | Path,
    *,
    offline: bool = False,
    cache: Path | str | None = None,
    progress: bool | None = None,
) -> Path:
    """The file that `source` names, fetched if need be; arguments and errors as of `esrgan_weights.load`."""
    if isinstance(source, str):
        model = _published_model(source)
        if model:
            alternative = obtain(model, offline=offline, cache=cache, progress=progress)
            return model_folder(model, cache) / alternative.files[0].name
        if is_address(source):
            return _fetch(source, offline, cache, progress)
        kept = own.path_of(source)
        if kept:
            return kept
    return existing_file(source)


def _published_model(name: str) -> Model | None:
    """The published model of that name; a file or an own model goes before the stem of a published file."""
    if name in registry.models():
        return registry.find(name)
    if name in registry.aliases() and not exists(name) and not own.path_of(name):
        return registry.find(name)
    return None


def existing_file(name_or_path: str | Path) -> Path:
    """The file that a user means.

    Raises:
        CheckpointError: it looks like a path, and there is no such file.
        UnknownModelError: it looks like a model's name, and there is no such model.
    """
    path = expanded(name_or_path)
    if exists(path):
        return path
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or "/" in text or "\\" in text or text.lower().endswith(own.FILES):
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


def published_provenance(model: Model, found: Provenance) -> Provenance:
    """What the registry adds to what the file says."""
    return replace(found, name=model.name, licence=model.licence, source=model.source)


def _published(model: Model, offline: bool, cache: Path | str | None, progress: bool | None) -> Checkpoint:
    alternative = obtain(model, offline=offline, cache=cache, progress=progress)
    path = model_folder(model, cache) / alternative.files[0].name
    checkpoint = read_checkpoint(path, sha256=alternative.weights.sha256)
    return replace(checkpoint, provenance=published_provenance(model, checkpoint.provenance))


def _fetch(address: str, offline: bool, cache: Path | str | None, progress: bool | None) -> Path:
    if address.lower().startswith("hf://"):
        return fetch_hub(address, offline=offline)
    return fetch_url(address, cache=cache, offline=offline, progress=progress)
