"""From a name or a file to a network that is ready to use."""

from dataclasses import replace
from pathlib import Path

from esrgan_torch.network import Generator, Provenance
from esrgan_weights import registry
from esrgan_weights.cache import model_folder
from esrgan_weights.errors import CheckpointError
from esrgan_weights.fetching import obtain
from esrgan_weights.read import read_checkpoint
from esrgan_weights.registry import Model

SUFFIXES = (".pth", ".pt", ".ckpt", ".tar", ".safetensors", ".param", ".bin")


def load(
    name_or_path: str | Path,
    *,
    offline: bool = False,
    cache: Path | str | None = None,
    progress: bool | None = None,
) -> Generator:
    """The network of a published model or of a checkpoint file of any layout.

    Args:
        name_or_path: registry name, such as "realesrgan-x4plus", or a file.
        offline: never touch the network.
        cache: folder of fetched models; None: $ESRGAN_CACHE, else the user's cache folder.
        progress: draw a progress bar on stderr while fetching; None: only on a terminal.

    Returns:
        An `RRDBNet` or a `CompactNet`: float32 on the CPU, evaluation mode, parameters frozen,
        `provenance` set.

    Raises:
        UnknownModelError: neither a model's name nor a file.
        FetchError: the model could not be fetched (OfflineError, ChecksumError: see `fetch`).
        CheckpointError: the file is missing, damaged, unsafe or something else (see `read_checkpoint`).
    """
    if isinstance(name_or_path, str) and name_or_path in registry.models():
        return _published(registry.find(name_or_path), offline, cache, progress)
    return read_checkpoint(existing_file(name_or_path)).build()


def existing_file(name_or_path: str | Path) -> Path:
    """The file that a user means.

    Raises:
        CheckpointError: it looks like a path, and there is no such file.
        UnknownModelError: it looks like a model's name, and there is no such model.
    """
    path = Path(name_or_path).expanduser()
    if path.exists():
        return path
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or "/" in text or "\\" in text or path.suffix.lower() in SUFFIXES:
        raise CheckpointError(f"{path}: there is no such file")
    registry.find(text)  # raises, and names the nearest models
    return path


def _published(model: Model, offline: bool, cache: Path | str | None, progress: bool | None) -> Generator:
    alternative = obtain(model, offline=offline, cache=cache, progress=progress)
    path = model_folder(model, cache) / alternative.files[0].name
    checkpoint = read_checkpoint(path, sha256=alternative.weights.sha256)
    return replace(checkpoint, provenance=published_provenance(model, checkpoint.provenance)).build()


def published_provenance(model: Model, found: Provenance) -> Provenance:
    """What the registry adds to what the file says."""
    return replace(found, name=model.name, licence=model.licence, source=model.source)
