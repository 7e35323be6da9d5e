"""What an artefact says of itself: one record, stored in every format that the bridge writes.

- ONNX: entry "esrgan" of `metadata_props`, as JSON text;
- SavedModel, LiteRT: file `esrgan.json` beside `saved_model.pb` and `model.tflite`;
- TF.js: "userDefinedMetadata" of `model.json`, under "esrgan".

A record names every data file of its folder with the file's sha256, so that a damaged download is found
before it is run.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from esrgan_bridge.errors import ArtifactError, ConversionError
from esrgan_bridge.files.checksums import check_files, hash_files
from esrgan_bridge.plain_records import built
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.registry import architecture_of, names
from esrgan_torch.storage.atomic import atomic_path

FORMAT_VERSION = 1
KEY = "esrgan"  # of the record, in ONNX's and TF.js's own metadata
RECORD = "esrgan.json"  # beside a SavedModel or a LiteRT file
_LARGEST = 1 << 20  # of a size in a record
_SHOWN = 40  # characters of a value, in a message
TILE = 64  # input pixels a side of a tile of the tail, after a trunk run on the whole picture


@dataclass(frozen=True)
class Metadata:
    """What a runtime must know to use an artefact well.

    Args:
        name: of the weights: registry name or file name; "unnamed" for a network made from scratch.
        architecture: the network, such as "RRDBNet".
        sizes: the network's sizes, as in `RRDBNetConfig`.
        scale: output pixels an input pixel, along each axis.
        unshuffle: height and width must be multiples of this.
        in_channels, out_channels: channels of the picture.
        tail_halo: feature pixels around a tile that the part after `features_node` needs to be exact.
        receptive_field: input pixels around a pixel that its output depends on.
        overlap: input pixels that a tile of the whole network needs around it.
        tile: recommended side of a tile of the tail, in input pixels.
        licence: SPDX name, or None where unknown.
        source_sha256: of the checkpoint's file, or None for a network made from scratch.
        input_range: lowest and highest value of the input; the output is not clamped to it.
        layout: "NCHW" or "NHWC".
        dtype: "float32": type of input and output; "float16" in ONNX files of earlier releases.
        quantize: how the weights are stored: "none", "float16", "uint8" or "int8".
        features_node: name of the tensor between trunk and tail; empty where there is none (route onnx-tf).
        fixed_size: height and width of the one size of picture that it takes; None: any. Left out of the
            stored record where it is None, so that releases that know no such copies read all others.
        shards: sha256 of each data file beside the record, by its path in the folder.
        format_version: version of this record.
    """

    name: str
    architecture: str
    sizes: dict[str, int]
    scale: int
    unshuffle: int
    in_channels: int
    out_channels: int
    tail_halo: int
    receptive_field: int
    overlap: int
    tile: int
    licence: str | None
    source_sha256: str | None
    input_range: tuple[float, float] = (0.0, 1.0)
    layout: str = "NHWC"
    dtype: str = "float32"
    quantize: str = "none"
    features_node: str = "features"
    fixed_size: tuple[int, int] | None = None
    shards: dict[str, str] = field(default_factory=dict[str, str])
    format_version: int = FORMAT_VERSION

    def to_dict(self) -> dict[str, Any]:
        """As JSON knows it, version first."""
        record = asdict(self)
        fixed = record.pop("fixed_size")
        return {
            "format_version": record.pop("format_version"),
            **record,
            "input_range": list(self.input_range),
            **({} if fixed is None else {"fixed_size": list(fixed)}),
        }

    def to_json(self) -> str:
        """One line of JSON, the same for equal records."""
        return json.dumps(self.to_dict(), separators=(",", ":"))

    def with_changes(self, **changes: Any) -> "Metadata":
        """A copy with other values for some fields."""
        return replace(self, **changes)


def metadata_of(model: Generator) -> Metadata:
    """The record of a network, as yet in no format.

    Raises:
        ConversionError: it is a network of another project.
    """
    if architecture_of(model) is None:
        raise ConversionError(f"{names(' and ')} can be converted, not {type(model).__name__}")
    provenance = model.provenance
    return Metadata(
        name=provenance.name if provenance else "unnamed",
        architecture=type(model).__name__,
        sizes=asdict(model.config),
        scale=model.scale,
        unshuffle=model.unshuffle,
        in_channels=model.in_channels,
        out_channels=model.out_channels,
        tail_halo=model.tail_halo,
        receptive_field=model.receptive_field,
        overlap=model.overlap,
        tile=TILE,
        licence=provenance.licence if provenance else None,
        source_sha256=provenance.sha256 if provenance else None,
    )


def from_json(text: str, where: str = "the record") -> Metadata:
    """Read what `Metadata.to_json` wrote; see `from_dict`."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{where} is not JSON ({error}); convert the network again") from error
    return from_dict(record, where)


def from_dict(record: object, where: str = "the record") -> Metadata:
    """Read what `Metadata.to_dict` gave.

    Args:
        record: what JSON gave.
        where: for the message of an error.

    Raises:
        ArtifactError: no record, one of another version, one with missing or unknown fields, or values that
            cannot be.
    """
    if not isinstance(record, Mapping):
        raise ArtifactError(f"{where} is not a record of esrgan-torch; convert the network again")
    known = cast(Mapping[str, Any], record)
    version = known.get("format_version")
    if version != FORMAT_VERSION:
        raise ArtifactError(
            f"{where} has format version {version!r}, this release reads version {FORMAT_VERSION}; "
            "convert the network again"
        )
    try:
        metadata = built(Metadata, {"fixed_size": None, **known}, complete=True)
        _check(metadata)
    except (ValueError, OverflowError) as error:
        raise ArtifactError(f"{where} is damaged: {error}; convert the network again") from error
    return metadata


def _check(metadata: Metadata) -> None:
    """ValueError for numbers that no network has."""
    for name in ("scale", "unshuffle", "in_channels", "out_channels", "receptive_field", "tile"):
        if not 1 <= getattr(metadata, name) <= _LARGEST:
            raise ValueError(f"{name} is {str(getattr(metadata, name))[:_SHOWN]}")
    for name in ("tail_halo", "overlap"):
        if not 0 <= getattr(metadata, name) <= _LARGEST:
            raise ValueError(f"{name} is {str(getattr(metadata, name))[:_SHOWN]}")
    if metadata.fixed_size and not all(1 <= side <= _LARGEST for side in metadata.fixed_size):
        raise ValueError(f"fixed_size is {str(metadata.fixed_size)[:_SHOWN]}")
    if metadata.layout not in ("NCHW", "NHWC"):
        raise ValueError(f"layout is {metadata.layout[:_SHOWN]!r}")


def read_metadata(artefact: Path) -> Metadata:
    """The record of an ONNX file, or of the folder of a SavedModel, a LiteRT file or a TF.js model.

    Raises:
        ArtifactError: nothing there, no record in it, or one of another version.
    """
    if artefact.is_file():
        return _read_onnx(artefact)
    for name in (RECORD, "model.json"):
        file = artefact / name
        if not file.is_file():
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{file} cannot be read ({error}); convert the network again") from error
        if name == RECORD:
            return from_json(text, str(file))
        try:
            record = json.loads(text)["userDefinedMetadata"][KEY]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise ArtifactError(f"{file} is not a model.json written by esrgan-torch") from error
        return from_dict(record, str(file))
    raise ArtifactError(
        f"{artefact} is not a converted network: neither an ONNX file nor a folder with {RECORD} or "
        f"model.json"
    )


def _read_onnx(file: Path) -> Metadata:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(file), load_external_data=False)
    except (DecodeError, OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{file} is not an ONNX file, or it is damaged") from error
    for entry in model.metadata_props:
        if entry.key == KEY:
            return from_json(entry.value, str(file))
    raise ArtifactError(f"{file} has no record of esrgan-torch; make it with `esrgan convert`")


def write_record(folder: Path, metadata: Metadata) -> None:
    """Store the record of a SavedModel or LiteRT file, with the sha256 of each other file of its folder."""
    shards = {name: value for name, value in hash_files(folder).items() if name != RECORD}
    with atomic_path(folder / RECORD) as temporary:
        text = json.dumps(metadata.with_changes(shards=shards).to_dict(), indent=1) + "\n"
        temporary.write_text(text, encoding="utf-8")


def verify_shards(folder: Path) -> Metadata:
    """Check every data file of a SavedModel, LiteRT or TF.js folder against its sha256; returns the record.

    Raises:
        ArtifactError: no record, or a file that is missing or differs; the message names the first.
    """
    metadata = read_metadata(folder)
    check_files(folder, metadata.shards)
    return metadata
