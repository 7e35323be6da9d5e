"""What decides how a result looks: the model and the options; and whether one that exists was made so."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from esrgan_cli.paths import Found, look, sha256_of
from esrgan_cli.upscaling.journal import Record
from esrgan_torch.networks.base import Generator
from esrgan_torch.storage.paths import expanded
from esrgan_weights import own, registry
from esrgan_weights.sources.addresses import is_address

# options that change what a result shows, with their defaults; of the others, none does
_DEFAULTS: Mapping[str, Any] = {
    "width": None,
    "height": None,
    "fit": None,
    "denoise": None,
    "dtype": "auto",
    "tile": "auto",
    "overlap": None,
    "alpha": "model",
    "background": None,
    "tta": False,
    "strip": False,
    "quality": None,
    "lossless": False,
}
_CLOCK = 2_000_000_000  # ns by which the times of a file may differ: some file systems count in steps of 2 s


@dataclass(frozen=True)
class Making:
    """How a run makes results.

    Args:
        model: as given: a name, an address, or a file.
        options: those that are not at their defaults.
        sha256: of the weights, where the model's file was read already.
    """

    model: str
    options: Mapping[str, Any]
    sha256: str = ""

    @property
    def name(self) -> str:
        """The model without the folder of its file, and without what follows an address: it may be a key."""
        if is_address(self.model):
            return self.model.split("?")[0]
        return self.model if self._published is not None else Path(self.model).name

    @cached_property
    def weights(self) -> str:
        """The sha256 of the weights: as published, or of the file; empty where only loading would tell."""
        if self._published is not None:
            return registry.find(self._published).alternatives[0].weights.sha256
        if is_address(self.model):
            return ""
        if self.sha256:
            return self.sha256
        path = own.path_of(self.model) or expanded(self.model)
        return sha256_of(path.with_suffix(".bin") if path.suffix == ".param" else path)  # ncnn's numbers

    @cached_property
    def _published(self) -> str | None:
        """The published model that is meant; a file of that name comes before another name of the model."""
        if self.model in registry.models():
            return self.model
        if own.path_of(self.model) is not None or look(Path(self.model)).kind == "file":
            return None
        return registry.aliases().get(self.model)

    def record(self, source: str, found: Found) -> Record:
        """What the journal keeps about a result of this run."""
        return Record(source, found.size, found.changed, self.name, self.weights, self.options)

    def difference(self, record: Record | None, source: str, found: Found, result: Found) -> str:
        """In what a result differs from what this run would make; empty where it does not, or nobody knows.

        Args:
            record: how it was made, if that is known.
            source: what the journal calls the source.
            found, result: the files of the source and of the result.
        """
        if record is None:
            return "older than its source" if found.changed > result.changed else ""
        if record.size != found.size or abs(record.changed - found.changed) > _CLOCK:
            if record.source != source:
                return f"made from {record.source}"
            return "made before its source changed"
        if record.model != self.name:
            return f"made with --model {record.model}"
        if record.weights != self.weights and record.weights and self.weights:
            return f"made with other weights of {record.model}"
        if record.options != self.options:
            return f"made {_told(record.options, self.options)}"
        return ""


def making_of(arguments: argparse.Namespace, scale: float | None, network: Generator | None = None) -> Making:
    """How the arguments of `esrgan upscale` make results.

    Args:
        scale: the one that they come to, if any.
        network: the model, where it was loaded already.
    """
    given = {name: getattr(arguments, name) for name in _DEFAULTS}
    options = {name: value for name, value in given.items() if value != _DEFAULTS[name]}
    known = "" if network is None or network.provenance is None else network.provenance.sha256
    return Making(arguments.model, options if scale is None else {"scale": scale, **options}, known)


def _told(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The options that differ, as one would give them: "with --alpha drop, without --tta"."""
    words = [
        f"with --{name}" + ("" if value is True else f" {value:g}" if name == "scale" else f" {value}")
        for name, value in before.items()
        if now.get(name) != value
    ]
    words += [f"without --{name}" for name in now if name not in before]
    return ", ".join(words)
