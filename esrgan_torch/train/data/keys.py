"""Names of decoded pictures: another file, another state of it or another decoder, another name."""

import hashlib
import json
from functools import cache
from importlib import metadata
from pathlib import Path

RULE = 2  # raised when the same files come out differently, by `esrgan_torch.datasets.colour` for example
_DECODERS = ("pillow", "imagecodecs", "tifffile", "pillow-heif")


def key_of(original: Path, partner: Path | None = None, scale: int = 0) -> str:
    """The name of what a picture is decoded to; with a scale, that of its small picture.

    It depends on path, size and times of both files, not on the working folder. The time of change of the
    record counts beside that of the content, which programs that unpack or copy set back.

    Args:
        original: the file.
        partner: the low-resolution file; None where it is made from the original.
        scale: of the pair; 0: the original's own name.

    Raises:
        OSError: a file cannot be reached.
    """
    facts = [RULE, _decoders(), scale, *_state(original), *(_state(partner) if partner is not None else ())]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:24]


def _state(path: Path) -> tuple[str, int, int, int]:
    facts = path.stat()
    return str(path.resolve()), facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


@cache
def _decoders() -> tuple[str, ...]:
    """The libraries that decode, with their versions."""
    found: list[str] = []
    for name in _DECODERS:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"no {name}")
    return tuple(found)
