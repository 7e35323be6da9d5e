"""From a name, an address or a file to a network that is ready to use."""

import os
from pathlib import Path

from esrgan_torch.networks.base import Generator
from esrgan_weights.denoise import denoising, ends_of
from esrgan_weights.errors import UnknownArchitectureError
from esrgan_weights.fetch_options import FetchOptions
from esrgan_weights.sources.resolve import Source, locate, provenance_of, read_located, read_source


def load(
    source: Source,
    *,
    offline: bool = False,
    cache: Path | str | None = None,
    progress: bool | None = None,
    trainable: bool = False,
    denoise: float | None = None,
) -> Generator:
    """Load the network of a published model, or of a checkpoint in any layout from a file or an address.

    Args:
        source: a registry name, such as "realesrgan-x4plus", or the stem of a published file; a name given by
            `esrgan weights add`; "https://..."; "hf://OWNER/REPO/FILE[@REVISION]" (with the extra `hub`); a
            file's path; a state dict; or a file that is open for reading bytes.
        offline, cache, progress: see `FetchOptions`.
        trainable: return the network in training mode, with gradients for every parameter.
        denoise: how strongly noise is removed, from 0 (noise is kept) to 1 (the network unchanged), for a
            model that has a variant that keeps noise, such as "realesr-general-x4v3"; see
            `esrgan_weights.denoise`. The variant of a file is looked for beside it, then by its name.

    Returns:
        A network of this project, or with the extra `spandrel` a `ForeignNetwork` for a file of another
        network: float32 on the CPU, `provenance` set; in evaluation mode with its parameters frozen, unless
        it is to be trained.

    Raises:
        UnknownModelError: neither a model's name nor a file.
        FetchError: the model could not be fetched (OfflineError, ChecksumError: see `fetch`).
        CheckpointError: the file is missing, damaged, unsafe or something else (see `read_checkpoint`).
        ConfigError: an address of another form, or one whose extra is not installed; `denoise` for a network
            that has no twin.
    """
    options = FetchOptions(cache, offline, progress)
    if denoise is None:
        model = _load(source, options)
    else:
        strong, weak = (None if end is None else _load(end, options) for end in ends_of(source, denoise))
        model = denoising(strong, weak, denoise)
    return model.train().requires_grad_(True) if trainable else model


def _load(source: Source, options: FetchOptions) -> Generator:
    if not isinstance(source, str | os.PathLike):
        return read_source(source, options).build()
    found = locate(source, options)
    try:
        return read_located(source, found).build()
    except UnknownArchitectureError as error:
        from esrgan_weights.spandrel_models import load_foreign

        model = load_foreign(found.path, error)
        if model.provenance:
            model.provenance = provenance_of(source, found, model.provenance)
        return model
