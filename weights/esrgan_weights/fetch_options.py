"""How files of models are fetched: what crosses every function between a name and a file."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FetchOptions:
    """How files are fetched.

    Args:
        cache: folder of fetched models; None: $ESRGAN_CACHE, else the user's cache folder.
        offline: never touch the network.
        progress: True: draw a progress bar on stderr. False: print nothing. None: a bar on a terminal,
            elsewhere one line for each download.
    """

    cache: Path | str | None = None
    offline: bool = False
    progress: bool | None = None


DEFAULT = FetchOptions()
