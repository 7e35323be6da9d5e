"""The folder of what this project can get or make again: weights, decoded pictures, compiled libraries."""

import os
from pathlib import Path

from esrgan_torch.storage.paths import expanded

VARIABLE = "ESRGAN_CACHE"


def cache_folder(given: Path | str | None = None) -> Path:
    """The argument, else $ESRGAN_CACHE, else the user's cache folder. It may not exist yet."""
    chosen = given or os.environ.get(VARIABLE)
    if chosen:
        return expanded(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("esrgan-torch"))
