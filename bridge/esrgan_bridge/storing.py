"""Artefacts that are either whole or not there."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from esrgan_bridge.errors import ArtifactError
from esrgan_torch.atomic import atomic_path, give_usual_mode


@contextmanager
def whole_folder(target: Path) -> Generator[Path]:
    """Yield an empty folder beside `target`; when the block ends well, it takes the target's place.

    When the block raises, Ctrl-C included, the folder is removed.

    Raises:
        ArtifactError: the target exists already, or cannot be written: a full disk, a missing parent.
    """
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise ArtifactError(f"{target} exists already; remove it or choose another folder")
    try:
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-", suffix=".part"))
        try:
            yield temporary
            give_usual_mode(temporary, 0o777)
            temporary.replace(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise ArtifactError(f"cannot write {target}: {error}; nothing was kept") from error


@contextmanager
def whole_file(target: Path) -> Generator[Path]:
    """`atomic_path`, with an error that is the bridge's.

    Raises:
        ArtifactError: the file cannot be written: a full disk, a missing folder.
    """
    try:
        with atomic_path(target) as temporary:
            yield temporary
    except OSError as error:
        raise ArtifactError(f"cannot write {target}: {error}; nothing was kept") from error
