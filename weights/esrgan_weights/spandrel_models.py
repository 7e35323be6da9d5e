"""Networks that this project does not know and spandrel does, by spandrel's classes.

spandrel (the loader of chaiNNer and ComfyUI) is an extra. Files are read as all others here, without running
anything of theirs; spandrel is given tensors alone.
"""

import logging
import warnings
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from esrgan_torch.errors import WeightsError
from esrgan_torch.metrics.torchvision_import import import_torchvision
from esrgan_torch.networks.base import Generator, Provenance
from esrgan_torch.networks.foreign import ForeignNetwork
from esrgan_torch.storage.atomic import atomic_path
from esrgan_weights.cache import sha256_of
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError
from esrgan_weights.formats.read_pickle import read_pickle
from esrgan_weights.own import facts_of
from esrgan_weights.recognition import foreign
from esrgan_weights.recognition.candidates import AVERAGED
from esrgan_weights.recognition.entries import entries_of

log = logging.getLogger("esrgan_weights")

LAYOUT = "spandrel"
PURPOSES = ("SR", "Restoration")  # the others want an aligned face, or a mask
OURS = ("ESRGAN", "Compact", "SPAN")  # what the project reads itself, and refuses for reasons of its own
RANDOM = ("AuraSR",)  # draws noise, so that neighbouring tiles disagree


def is_installed() -> bool:
    """Whether spandrel is there."""
    return find_spec("spandrel") is not None


def load_foreign(path: Path, refused: UnknownArchitectureError) -> ForeignNetwork:
    """The network of a file that `read_checkpoint` has refused as another's.

    Args:
        path: the file.
        refused: the error; raised again where spandrel does not know the network either.

    Returns:
        The network: float32 on the CPU, evaluation mode, parameters frozen, `provenance` set.

    Raises:
        UnknownArchitectureError: `refused`, or spandrel's network is not one for single pictures.
        CheckpointError: spandrel knows the network and cannot load these tensors.
    """
    if not is_installed() or path.suffix.lower() in (".param", ".bin"):
        raise refused
    metadata, content = _content(path)
    entries = {entry.path: entry.tensor for entry in entries_of(content)}
    known = foreign.identify(entries)
    if known and known.reader != "spandrel":
        raise refused
    with warnings.catch_warnings():
        # of PyTorch, about the future of calls in spandrel's classes
        warnings.simplefilter("ignore")
        descriptor = _named(entries, known, path) if known else _guessed(content)
    if descriptor is None:
        raise refused
    model = _wrap(descriptor, path)
    model.provenance = Provenance(
        name=path.name,
        layout=LAYOUT,
        sha256=sha256_of(path),
        licence=metadata.get("licence"),
        source=metadata.get("source"),
    )
    log.warning("%s: %s", path.name, model.notice)
    return model


def _content(path: Path) -> tuple[Mapping[str, str], object]:
    """The file's metadata, and what it holds."""
    from safetensors import SafetensorError
    from safetensors import torch as tensors

    library: Any = tensors  # typed in part only
    try:
        return facts_of(path), library.load_file(path)
    except (CheckpointError, SafetensorError):
        return {}, read_pickle(path)


def _named(entries: Mapping[str, Tensor], known: foreign.Foreign, path: Path) -> Any:
    """spandrel's descriptor of a network that our table has told.

    Raises:
        CheckpointError: spandrel cannot load it.
    """
    prefix = _prefix(entries, known)
    state = {name.removeprefix(prefix): value for name, value in entries.items() if name.startswith(prefix)}
    try:
        return _spandrel().ModelLoader("cpu").load_from_state_dict(state)
    except Exception as error:  # its classes infer sizes, and fail in any way where these do not fit
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(f"{path}: it is {known.name}, and spandrel cannot load it: {reason}") from error


def _guessed(content: object) -> Any:
    """spandrel's descriptor of a network that only spandrel recognises; None where it does not."""
    library = _spandrel()
    canonical: Any = import_module("spandrel.__helpers.canonicalize")
    try:
        found = library.ModelLoader("cpu").load_from_state_dict(canonical.canonicalize_state_dict(content))
    except Exception as error:  # it looks for a few names, and what follows fails in any way
        log.debug("spandrel: %s: %s", type(error).__name__, error)
        return None
    return None if found.architecture.id in OURS else found


def _spandrel() -> Any:
    import_torchvision()
    return import_module("spandrel")


def _prefix(tensors: Mapping[str, Tensor], known: foreign.Foreign) -> str:
    """What stands before the network's names; averaged weights go before raw ones."""
    first = known.marks[0]
    found = [name.removesuffix(first) for name in tensors if name.endswith(first)]
    places = [prefix for prefix in found if all(prefix + mark in tensors for mark in known.marks)]
    averaged = [place for place in places if any(AVERAGED.search(step) for step in place.split("."))]
    return (averaged or [known.prefix])[0]


def _reason_against(descriptor: Any) -> str | None:
    """Why spandrel's network cannot be run here, or None."""
    if getattr(descriptor, "purpose", None) not in PURPOSES:
        return "is not for single pictures of anything: it wants an aligned face, or a mask"
    if descriptor.size_requirements.square:
        return "takes square pictures alone"
    if descriptor.architecture.name in RANDOM:
        return "draws noise of its own, so that neighbouring tiles would not fit"
    return None


def _wrap(descriptor: Any, path: Path) -> ForeignNetwork:
    """spandrel's descriptor as a network of this project's kind."""
    name = str(descriptor.architecture.name)
    sizes = descriptor.size_requirements
    reason = _reason_against(descriptor)
    if reason:
        raise UnknownArchitectureError(f"{path}: it is {name}, which spandrel reads, but it {reason}")
    module = cast(torch.nn.Module, descriptor.model)
    module.eval().requires_grad_(False)
    halves = ((torch.float16, descriptor.supports_half), (torch.bfloat16, descriptor.supports_bfloat16))
    tags = f" ({', '.join(descriptor.tags)})" if descriptor.tags else ""
    return ForeignNetwork(
        descriptor,
        module,
        architecture=f"{name}{tags}",
        runner=f"spandrel {version('spandrel')} (MIT)",
        scale=int(descriptor.scale),
        in_channels=int(descriptor.input_channels),
        out_channels=int(descriptor.output_channels),
        multiple=int(sizes.multiple_of),
        dtypes=(torch.float32, *(dtype for dtype, works in halves if works)),
        tiles=descriptor.tiling.name == "SUPPORTED",
    )


def save_foreign(model: Generator, path: Path) -> Path:
    """Store a `ForeignNetwork` as safetensors, with what is known of it as metadata; returns the file.

    Raises:
        CheckpointError: another network.
        WeightsError: the file cannot be written.
    """
    from safetensors import torch as tensors

    if not isinstance(model, ForeignNetwork) or not model.provenance:
        raise CheckpointError(f"only a network of spandrel can be stored so, not {type(model).__name__}")
    state = {name: tensor.contiguous().clone() for name, tensor in model.network.state_dict().items()}
    known = model.provenance
    facts = {
        "format": "pt",
        "architecture": model.architecture,
        "scale": str(model.scale),
        "name": known.name,
        "licence": known.licence,
        "source": known.source,
        "source_sha256": known.sha256,
    }
    library: Any = tensors  # typed in part only
    try:
        with atomic_path(path) as temporary:
            temporary.write_bytes(
                library.save(state, {name: value for name, value in facts.items() if value})
            )
    except OSError as error:
        raise WeightsError(f"{path}: cannot be written ({error.strerror or error})") from error
    return path
