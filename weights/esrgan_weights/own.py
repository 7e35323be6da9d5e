"""A user's own models: files that were given a name, kept where the user's data are."""

import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esrgan_torch.errors import ConfigError, WeightsError
from esrgan_torch.storage.alone import alone_in
from esrgan_torch.storage.cache import VARIABLE as CACHE
from esrgan_torch.storage.paths import expanded
from esrgan_weights import registry
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError, UnknownModelError

if TYPE_CHECKING:
    from esrgan_torch.networks.base import Provenance

VARIABLE = "ESRGAN_DATA"
SUFFIX = ".safetensors"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
# endings by which a name would be taken for a file
FILES = (".pth", ".pt", ".ckpt", ".tar", ".bin", ".param", SUFFIX)


@dataclass(frozen=True)
class OwnModel:
    """A model that a user added.

    Args:
        name: what every command takes.
        path: the safetensors file.
        facts: what the file states: architecture, scale, licence, source, source_sha256, ...
        damage: why the file cannot be read, or None.
    """

    name: str
    path: Path
    facts: Mapping[str, str]
    damage: str | None = None

    @property
    def scale(self) -> int | None:
        """Output pixels an input pixel, where the file states it."""
        stated = self.facts.get("scale", "")
        return int(stated) if re.fullmatch(r"[0-9]{1,2}", stated) else None


def own_folder() -> Path:
    """Where the models are: $ESRGAN_DATA, else in $ESRGAN_CACHE, else the user's data folder."""
    if os.environ.get(VARIABLE):
        return expanded(os.environ[VARIABLE]) / "models"
    if os.environ.get(CACHE):
        return expanded(os.environ[CACHE]) / "own-models"
    import platformdirs

    return Path(platformdirs.user_data_dir("esrgan-torch")) / "models"


def path_of(name: str) -> Path | None:
    """The file of an own model, or None where there is none of that name."""
    if not is_name(name):
        return None
    path = own_folder() / f"{name}{SUFFIX}"
    return path if path.is_file() else None


def own_models() -> list[OwnModel]:
    """All of them, by name; a damaged one does not hide the others."""
    folder = own_folder()
    found: list[OwnModel] = []
    for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []:
        if path.name.startswith("."):  # on its way there
            continue
        try:
            found.append(OwnModel(path.stem, path, facts_of(path)))
        except CheckpointError as error:
            found.append(OwnModel(path.stem, path, {}, str(error)))
    return found


def facts_of(path: Path) -> Mapping[str, str]:
    """The metadata of a safetensors file; no tensor is read.

    Raises:
        CheckpointError: it is damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        opened: Any = safe_open(path, framework="numpy")
        with opened as archive:
            stated: dict[str, str] = archive.metadata() or {}
            return stated
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path}: it is a damaged safetensors file ({error})") from error


def is_name(text: str) -> bool:
    """Whether it can be a model's name rather than a file's."""
    return bool(NAME.fullmatch(text)) and not text.lower().endswith(FILES)


def add(
    source: str | Path,
    name: str,
    *,
    licence: str | None = None,
    origin: str | None = None,
    offline: bool = False,
    cache: Path | str | None = None,
) -> Path:
    """Keep a model under a name that every command and `load` take.

    Args:
        source: a file, an address or a published name; see `esrgan_weights.load`.
        name: letters, digits, dots, dashes; not that of a published model or of one of its files.
        licence: SPDX name; None: what the file states.
        origin: where it is from, such as an address; None: what the file states, or the address.
        offline, cache: see `esrgan_weights.load`.

    Returns:
        The file: safetensors, with name, licence, source, sizes, and sha256 of the original as metadata.

    Raises:
        ConfigError: the name is not one, or is taken.
        WeightsError: the source cannot be read, or the file cannot be written.
    """
    from esrgan_weights.fetch_options import FetchOptions
    from esrgan_weights.formats.write import save
    from esrgan_weights.sources.resolve import read_source

    _check(name)
    path = own_folder() / f"{name}{SUFFIX}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeightsError(f"{path.parent}: cannot be made ({error.strerror or error})") from error
    try:
        checkpoint = read_source(source, FetchOptions(cache, offline))
    except UnknownArchitectureError:
        from esrgan_weights.loading import load
        from esrgan_weights.spandrel_models import save_foreign

        model = load(source, offline=offline, cache=cache)  # with the extra `spandrel`, or the same error
        model.provenance = _named(model.provenance, name, licence, origin)
        with _while_free(name):
            return save_foreign(model, path)
    provenance = _named(checkpoint.provenance, name, licence, origin)
    with _while_free(name):
        return save(replace(checkpoint, provenance=provenance), path)


@contextmanager
def _while_free(name: str) -> Generator[None]:
    """Hold the folder of models, so that no other process takes a name meanwhile.

    Raises:
        ConfigError: one just did.
        WeightsError: the folder cannot be written, or another process holds it for long.
    """
    folder = own_folder()
    try:
        with alone_in(folder) as held:
            if not held:
                raise WeightsError(f"{folder}: another process is writing there; try again when it has ended")
            _check(name)
            yield
    except OSError as error:
        raise WeightsError(f"{folder}: cannot be written ({error.strerror or error})") from error


def _named(found: "Provenance | None", name: str, licence: str | None, origin: str | None) -> "Provenance":
    """What is known of a file, and what the user says of it."""
    from esrgan_torch.networks.base import Provenance

    known = found or Provenance(name, "", "")
    return replace(
        known, name=name, licence=licence or known.licence, source=origin or known.source or known.name
    )


def remove(name: str) -> Path:
    """Delete an own model; returns the path that it had.

    Raises:
        UnknownModelError: there is none of that name.
        WeightsError: the file cannot be deleted.
    """
    path = path_of(name)
    if path is None:
        names = ", ".join(model.name for model in own_models())
        hint = f"those that were added: {names}" if names else f"none was added to {own_folder()}"
        raise UnknownModelError(f"no model was added as {name!r}; {hint}")
    try:
        path.unlink()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be deleted ({error.strerror or error})") from error
    return path


def _check(name: str) -> None:
    if not is_name(name):
        raise ConfigError(
            f"{name!r} cannot be a model's name: it has letters, digits, dots and dashes, begins with a "
            f"letter or a digit, and does not end like a file ({', '.join(FILES)})"
        )
    published = {title.lower() for title in (*registry.models(), *registry.aliases())}
    if name.lower() in published:
        raise ConfigError(f"{name!r} is the name of a published model; choose another")
    taken = {model.name.lower(): model.name for model in own_models()}
    if name.lower() in taken:
        raise ConfigError(
            f"a model was added as {taken[name.lower()]!r} already; choose another name, or first: "
            f"esrgan weights remove {taken[name.lower()]}"
        )
