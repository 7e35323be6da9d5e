"""Read a checkpoint file of any kind and layout; the kind is told by its content, not by its name."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from esrgan_torch.engines.ncnn.graph import MAGIC
from esrgan_torch.networks.base import Provenance
from esrgan_torch.storage.paths import exists, expanded
from esrgan_weights.architectures.registry import files_of
from esrgan_weights.cache import sha256_of
from esrgan_weights.checkpoint import Checkpoint, Config
from esrgan_weights.errors import CheckpointError
from esrgan_weights.formats.kinds import is_another
from esrgan_weights.formats.ncnn.read import pair, read_ncnn
from esrgan_weights.formats.read_pickle import DAMAGE, PICKLE, read_pickle
from esrgan_weights.formats.stated import stated_sizes
from esrgan_weights.recognition.candidates import Candidate, find
from esrgan_weights.recognition.infer import network_of


def read_checkpoint(path: Path | str, *, sha256: str | None = None) -> Checkpoint:
    """Read a `.pth`, `.pt`, `.ckpt`, `.safetensors` or ncnn (`.param` or `.bin`) file.

    Args:
        path: the file.
        sha256: of the file (of the `.bin` for ncnn), where it is known already.

    Raises:
        CheckpointError: the file is missing, truncated, damaged or incomplete.
        UnsafeCheckpointError: a pickle that would run code.
        UnknownArchitectureError: the file is whole and something else; the message says what.
    """
    path = expanded(path)
    if not exists(path):
        raise CheckpointError(f"{path}: there is no such file")
    if path.is_dir():
        raise CheckpointError(f"{path}: it is a folder; give one of its files")
    if not path.is_file():  # a pipe would be waited for
        raise CheckpointError(f"{path}: it is a pipe or a device; weights are read from ordinary files only")
    try:
        # numbers and hash come from several openings: together they must be of one file
        before = _state(path)
        checkpoint = _read(path, sha256)
        _check_unchanged(path, before)
    except CheckpointError as error:
        raise type(error)(f"{path}: {error}") from error
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror or error})") from error
    except DAMAGE as error:
        raise CheckpointError(
            f"{path}: it is damaged in an unknown way ({type(error).__name__}: {error})"
        ) from error
    return checkpoint


def _check_unchanged(path: Path, before: list[tuple[int, int, int, int]]) -> None:
    if not path.is_file() or _state(path) != before:
        raise CheckpointError("it changed while it was read; try again when it is complete")


def _state(path: Path) -> list[tuple[int, int, int, int]]:
    """What changes when a file is written or replaced; of both where they may be ncnn's two files.

    Raises:
        OSError: it has just gone.
    """
    two = {".param": ".bin", ".bin": ".param"}.get(path.suffix.lower())
    partner = [path.with_suffix(two)] if two and path.with_suffix(two).is_file() else []
    states = [file.stat() for file in (path, *partner)]
    return [(state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns) for state in states]


def _read(path: Path, sha256: str | None) -> Checkpoint:
    head = _head(path)
    if head.startswith(MAGIC.encode()) or (
        path.suffix.lower() == ".bin" and not _is_another_container(path, head)
    ):
        param, weights = pair(path)
        return read_ncnn_files(param, weights, sha256 or sha256_of(weights))
    if _is_safetensors(path, head) or (path.suffix.lower() == ".safetensors" and not is_another(head)):
        content, metadata = _read_safetensors(path)
        container = "safetensors"
    else:
        content, metadata = read_pickle(path), dict[str, str]()
        container = "pickle"
    found, others = find(content)
    config, tensors = network_of(found, _stated_unshuffle(found, metadata))
    return Checkpoint(
        path=path,
        container=container,
        wrapper=found.where,
        config=config,
        tensors=tensors,
        stored=tuple(sorted({str(tensor.dtype).removeprefix("torch.") for tensor in found.tensors.values()})),
        provenance=Provenance(
            name=path.name,
            layout=_layout_of(found),
            sha256=sha256 or sha256_of(path),
            licence=metadata.get("licence"),
            source=metadata.get("source"),
        ),
        notes=(*notes_of(path, config), *_note_of_others(found, others)),
        others=tuple(other.where for other in others),
        metadata=metadata,
    )


def _layout_of(found: Candidate) -> str:
    """The layout's name; those that share the names of BasicSR differ in what is around them."""
    around = [*found.keys, *found.prefix.split(".")]
    if found.layout == "basicsr" and "params-ema" in around:
        return "neosr"
    if found.layout == "basicsr" and {"generator", "generator_ema"} & set(around):
        return "mmagic"
    return found.layout


def _stated_unshuffle(found: Candidate, metadata: Mapping[str, str]) -> int | None:
    """The unshuffle that the file states, where `save` wrote it."""
    stated = str({**metadata, **stated_sizes(found.container)}.get("unshuffle", ""))
    return int(stated) if re.fullmatch(r"[0-9]{1,2}", stated) else None


def _note_of_others(found: Candidate, others: Sequence[Candidate]) -> tuple[str, ...]:
    if not others:
        return ()
    places = ", ".join(other.where or "the open" for other in others)
    return (f"The network under {found.where or 'no key'} was read; there are others under {places}.",)


def read_ncnn_files(param: Path, weights: Path, sha256: str) -> Checkpoint:
    """As `read_checkpoint`, for an ncnn model whose two files are given.

    Raises:
        CheckpointError: as `read_checkpoint`, without the path in front.
        OSError: a file cannot be read.
    """
    config, tensors, stored = read_ncnn(param, weights)
    provenance = Provenance(name=param.name, layout="ncnn", sha256=sha256)
    return Checkpoint(param, "ncnn", "", config, tensors, stored, provenance)


def notes_of(path: Path, config: Config) -> tuple[str, ...]:
    """What the tensors leave open.

    Raises:
        UnknownArchitectureError: the file's name says that the network is another.
    """
    return files_of(config).notes(path, config)


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(64)


def _is_another_container(path: Path, head: bytes) -> bool:
    """Whether a `.bin` is not ncnn's but what transformers and others give that name."""
    return head.startswith(PICKLE) or is_another(head) or _is_safetensors(path, head)


def _is_safetensors(path: Path, head: bytes) -> bool:
    """Whether the file begins with the length of a JSON object within it."""
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= path.stat().st_size


def _read_safetensors(path: Path) -> tuple[Mapping[str, Tensor], Mapping[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        opened: Any = safe_open(path, framework="pt")
        with opened as archive:
            names: list[str] = list(archive.keys())
            metadata: dict[str, str] = dict(archive.metadata() or {})
            return {name: archive.get_tensor(name) for name in names}, metadata
    except (SafetensorError, json.JSONDecodeError) as error:
        raise CheckpointError(f"it is a truncated or damaged safetensors file ({error})") from error
