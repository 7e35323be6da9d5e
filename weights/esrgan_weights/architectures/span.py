"""SPAN in files: as it was trained, as it runs, or both; see `esrgan_weights.architectures.span_tensors`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from esrgan_torch.engines.ncnn.draw_span import MODULES, draw_span
from esrgan_torch.engines.ncnn.graph import Layer
from esrgan_torch.networks.registry import SPAN
from esrgan_torch.networks.span import SPANConfig
from esrgan_weights.architectures.base import Files, NcnnForm, Spelling, Tensors, read_only
from esrgan_weights.architectures.span_tensors import (
    MARKS,
    NO_NORM,
    idle_names,
    marker,
    needed_names,
    official_tensors,
    plain_tensors,
    shapes_of_span,
    span_config,
)


def _needed(keys: Collection[str]) -> Mapping[str, str]:
    return {name: name for name in needed_names(keys)}


def _config_of(tensors: Tensors, beside: Collection[str], unshuffle: int | None) -> SPANConfig:
    del unshuffle
    return span_config(tensors, normalised=NO_NORM not in beside)


def _written(layout: str, config: SPANConfig, tensors: Tensors) -> Tensors:
    if layout == "safetensors":
        return {**tensors, **marker(config)}
    return official_tensors(tensors, config)


def _ncnn_modules(kinds: Sequence[str], enlargements: int) -> list[str] | None:
    return list(MODULES) if list(kinds) == ["Convolution"] * len(MODULES) and not enlargements else None


def _ncnn_beside(layers: Sequence[Layer]) -> Collection[str]:
    """A picture that is normalised is cut into its colours for that."""
    return () if any(layer.kind == "Slice" for layer in layers) else (NO_NORM,)


FILES = Files(
    architecture=SPAN,
    spellings=[
        Spelling("basicsr", f"SPAN ({way})", marks, _needed, idle_names) for way, marks in MARKS.items()
    ],
    config_of=_config_of,
    shapes_of=shapes_of_span,
    wrappers=read_only({"basicsr": "params", "neosr": "params-ema"}),
    written=_written,
    plain=plain_tensors,
    ncnn=NcnnForm(draw_span, _ncnn_modules, lambda config: replace(config, features=2), beside=_ncnn_beside),
)
