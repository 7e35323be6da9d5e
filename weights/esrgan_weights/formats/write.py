"""Write a network's weights in any layout; what was written is read back before it takes its place."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from esrgan_torch.engines.ncnn.graph import print_layers
from esrgan_torch.engines.ncnn.weights import ncnn_weights
from esrgan_torch.errors import ConfigError, WeightsError
from esrgan_torch.networks.base import Generator, Provenance
from esrgan_torch.networks.registry import names
from esrgan_torch.storage.atomic import atomic_path
from esrgan_torch.storage.paths import expanded
from esrgan_weights.architectures.registry import files_of, is_own
from esrgan_weights.checkpoint import Checkpoint, Config, architecture_of, title_of
from esrgan_weights.errors import CheckpointError
from esrgan_weights.formats.ncnn.network import ncnn_graph
from esrgan_weights.formats.read import notes_of, read_checkpoint, read_ncnn_files
from esrgan_weights.formats.stated import with_sizes
from esrgan_weights.recognition.layouts import NCNN, PREFIXES, WRITABLE
from esrgan_weights.values import as_float32, equal, is_finite, rounded, stored_as

PICKLE_SUFFIXES = (".pth", ".pt", ".ckpt", ".tar")
DTYPES = ("float32", "float16", "bfloat16")


def save(
    source: Generator | Checkpoint,
    path: Path | str,
    layout: str | None = None,
    dtype: str | None = None,
    facts: Mapping[str, str] | None = None,
) -> Path:
    """Write weights to a file, read it back, compare every tensor, and only then rename it.

    Args:
        source: a network of this project or a checkpoint that was read.
        path: the file; its suffix is that of the layout: `.safetensors`; `.param` for ncnn, whose
            `.bin` is written beside; `.pth`, `.pt`, `.ckpt` or `.tar` for the others.
        layout: "safetensors" (this project's names, with sizes, licence and source as metadata),
            "basicsr", "neosr", "mmagic", "new-arch", "old-arch", "kair", "lornatang", "ncnn" or
            "ncnn-float16" (as the official ncnn files); None: by the suffix, see `layout_for`.
        dtype: "float32", "float16" or "bfloat16" (ncnn has no bfloat16, and its biases and slopes stay
            float32); None: float32, or what the layout's name says.
        facts: more metadata for a `.safetensors` file, such as recipe, data, steps and metrics.

    Returns:
        The file written.

    Raises:
        ConfigError: unknown layout or dtype, a suffix of another layout, or facts where there is no place for
            them.
        CheckpointError: the layout cannot hold this network, its tensors are not finite or too large for the
            dtype, or the file's name says scale 3 of a network of scale 2, so that it would not be read.
        WeightsError: the file could not be written.
    """
    path = expanded(path)
    layout = layout or layout_for(path)
    _check_target(path, layout)
    dtype = _check_dtype(layout, dtype)
    if facts and layout != "safetensors":
        raise ConfigError(f"only safetensors files hold facts, not the layout {layout}")
    config, tensors, provenance = _contents(source)
    halved = [name for name, tensor in tensors.items() if layout not in NCNN or tensor.ndim == 4]
    expected = tensors | {name: rounded(tensors[name], dtype) for name in halved}
    for name, tensor in expected.items():
        if not is_finite(tensor):
            raise CheckpointError(f"{name} has numbers that {dtype} cannot hold; take bfloat16 or float32")
    try:
        if layout in NCNN:
            _save_ncnn(config, expected, path, half=dtype == "float16")
        else:
            notes_of(path, config)  # a name by which the file would be refused later
            stored = {name: stored_as(tensor, dtype) for name, tensor in expected.items()}
            with atomic_path(path) as temporary:
                if layout == "safetensors":
                    _write_safetensors(config, stored, provenance, temporary, facts)
                else:
                    torch.save(_arrange(config, stored, layout), temporary)
                _compare(config, expected, read_checkpoint(temporary))
    except OSError as error:
        raise WeightsError(f"{path}: cannot be written ({error.strerror or error})") from error
    return path


def layout_for(path: Path | str) -> str:
    """The layout that a file of this name is given where none is asked for.

    `.safetensors`: safetensors; `.param`: ncnn; `.pth`, `.pt`, `.ckpt`, `.tar`: basicsr, which others read.

    Raises:
        ConfigError: another suffix.
    """
    suffix = Path(path).suffix.lower()
    layout = {
        ".safetensors": "safetensors",
        ".param": "ncnn",
        **dict.fromkeys(PICKLE_SUFFIXES, "basicsr"),
    }.get(suffix)
    if layout is None:
        raise ConfigError(
            f"{Path(path).name}: give the file one of the suffixes .safetensors, .param (ncnn) or "
            f"{', '.join(PICKLE_SUFFIXES)}"
        )
    return layout


def _check_target(path: Path, layout: str) -> None:
    if layout not in WRITABLE:
        raise ConfigError(f"unknown layout {layout!r}; there are {', '.join(WRITABLE)}")
    if layout == "safetensors":
        suffixes = (".safetensors",)
    else:
        suffixes = (".param",) if layout in NCNN else PICKLE_SUFFIXES
    if path.suffix.lower() not in suffixes:
        raise ConfigError(f"{path.name}: a file of the layout {layout} ends with {' or '.join(suffixes)}")


def _check_dtype(layout: str, dtype: str | None) -> str:
    """The type that the numbers are stored in."""
    if dtype is not None and dtype not in DTYPES:
        raise ConfigError(f"unknown dtype {dtype!r}; there are {', '.join(DTYPES)}")
    if layout == "ncnn-float16":
        if dtype not in (None, "float16"):
            raise ConfigError(f"the layout ncnn-float16 stores float16, not {dtype}; take the layout ncnn")
        return "float16"
    if layout == "ncnn" and dtype == "bfloat16":
        raise ConfigError("ncnn files hold float32 or float16, not bfloat16")
    return dtype or "float32"


def _contents(source: Generator | Checkpoint) -> tuple[Config, dict[str, Tensor], Provenance | None]:
    if isinstance(source, Checkpoint):
        return source.config, dict(source.tensors), source.provenance
    if is_own(source):
        tensors = {name: as_float32(tensor.cpu(), name) for name, tensor in source.state_dict().items()}
        return source.config, tensors, source.provenance
    raise CheckpointError(f"only {names(' and ')} can be written, not {type(source).__name__}")


def _arrange(config: Config, tensors: Mapping[str, Tensor], layout: str) -> Mapping[str, object]:
    """The tensors under the names and the wrapper of a layout."""
    files = files_of(config)
    if layout not in files.wrappers:
        raise CheckpointError(
            f"the layout {layout} has no names for {title_of(config)}; take safetensors or basicsr"
        )
    prefix = PREFIXES.get(layout, "")
    renamed = {f"{prefix}{name}": tensor for name, tensor in files.written(layout, config, tensors).items()}
    stated = with_sizes(renamed, config)
    wrapper = files.wrappers[layout]
    return {wrapper: stated} if wrapper else stated


def _write_safetensors(
    config: Config,
    tensors: Mapping[str, Tensor],
    provenance: Provenance | None,
    path: Path,
    more: Mapping[str, str] | None,
) -> None:
    import safetensors.torch

    metadata = {**(more or {}), "format": "pt", "architecture": architecture_of(config)}
    metadata |= {name: str(value) for name, value in asdict(config).items()}
    if provenance:
        facts = {
            "name": provenance.name,
            "licence": provenance.licence,
            "source": provenance.source,
            "source_sha256": provenance.sha256,
        }
        metadata |= {name: value for name, value in facts.items() if value}
    # not save_file: it makes a file that only its owner may read
    written = files_of(config).written("safetensors", config, tensors)
    path.write_bytes(safetensors.torch.save(dict(written), metadata))


def _save_ncnn(config: Config, tensors: Mapping[str, Tensor], path: Path, *, half: bool) -> None:
    layers = ncnn_graph(config)
    weights = path.with_suffix(".bin")
    with atomic_path(path) as param_part, atomic_path(weights) as weights_part:
        param_part.write_text(print_layers(layers), encoding="utf-8")
        weights_part.write_bytes(ncnn_weights(layers, tensors, half=half))
        _compare(config, tensors, read_ncnn_files(param_part, weights_part, ""))


def _compare(config: Config, expected: Mapping[str, Tensor], written: Checkpoint) -> None:
    """Check that the file just written holds what it should.

    Raises:
        CheckpointError: it does not.
    """
    if written.config != config:
        raise CheckpointError(f"{config} reads back as {written.config}")
    for name, tensor in expected.items():
        if not equal(written.tensors[name], tensor):
            raise CheckpointError(f"{name} does not read back as it was written")
