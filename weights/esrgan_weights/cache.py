"""The folder of fetched weights: one folder a model.

A cached file's sha256 is computed each time it is opened: that costs about 0.1 s for the largest file,
less than building its network, and no damage to the file goes unnoticed. A stamp file would be
quicker and would vouch for files that nobody looked at.
"""

import hashlib
from pathlib import Path

from esrgan_torch.storage.cache import cache_folder
from esrgan_weights.registry import Alternative, File, Model

CHUNK = 1 << 20  # bytes
BUNDLED = Path(__file__).parent / "bundled"


def model_folder(model: Model, cache: Path | str | None = None) -> Path:
    """The folder of one model's files; it may not exist yet. Bundled files have their own."""
    if model.bundled:
        return BUNDLED
    return cache_folder(cache) / model.name


def sha256_of(path: Path) -> str:
    """sha256 of a file, in hexadecimal.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def difference(path: Path, file: File) -> str | None:
    """What tells the file at `path` from the published one, or None where they are the same.

    Raises:
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        return f"{size:,} bytes where {file.size:,} are expected"
    digest = sha256_of(path)
    if digest != file.sha256:
        return f"sha256 {digest} where {file.sha256} is expected"
    return None


def cached(model: Model, cache: Path | str | None = None) -> Alternative | None:
    """The first alternative whose files are all in the cache and whole, or None."""
    folder = model_folder(model, cache)
    for alternative in model.alternatives:
        paths = [(folder / file.name, file) for file in alternative.files]
        if all(path.is_file() and difference(path, file) is None for path, file in paths):
            return alternative
    return None
