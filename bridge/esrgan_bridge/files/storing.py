"""Artefacts that are either whole or not there: `esrgan_torch.storage.atomic`, with errors of the bridge."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from esrgan_bridge.errors import ArtifactError
from esrgan_torch.storage.atomic import atomic_folder, atomic_path


@contextmanager
def whole_folder(target: Path) -> Generator[Path]:
    """`atomic_folder`.

    Raises:
        ArtifactError: the target exists already, or cannot be written: a full disk, a missing parent.
    """
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise ArtifactError(f"{target} exists already; remove it or choose another folder")
    with _explained(target), atomic_folder(target) as temporary:
        yield temporary


@contextmanager
def whole_file(target: Path) -> Generator[Path]:
    """`atomic_path`.

    Raises:
        ArtifactError: the file cannot be written: a full disk, a missing folder.
    """
    with _explained(target), atomic_path(target) as temporary:
        yield temporary


@contextmanager
def _explained(target: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise ArtifactError(f"cannot write {target}: {error}; nothing was kept") from error
