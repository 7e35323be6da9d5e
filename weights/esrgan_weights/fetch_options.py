"""How files of models are fetched: what crosses every function between a name and a file."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FetchOptions:
    """How files are fetched.

    Args:
        cache: folder of fetched models; None: $ESRGAN_CACHE, else the user's cache folder.
        offline: never touch the network.
        progress: draw a progress bar on stderr; None: only on a terminal.
    """

    cache: Path | str | None = None
    offline: bool = False
    progress: bool | None = None


DEFAULT = FetchOptions()
