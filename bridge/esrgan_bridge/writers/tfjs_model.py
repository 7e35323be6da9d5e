"""The graph model of TF.js as files: `model.json` and shards of weights, read and written without tensorflow.

The layout is that of tensorflowjs 4: "modelTopology" is a GraphDef in protobuf's JSON, constants without
their values; "weightsManifest" lists the constants in the order of their bytes, which are cut into shards
of 4 MiB wherever they end. A constant may be stored as uint8 with value = level * scale + min, or as float16.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_bridge.artifact import KEY, Metadata
from esrgan_bridge.errors import ArtifactError, ConversionError
from esrgan_bridge.files.checksums import sha256_of
from esrgan_torch.arithmetic import ceil_div

SHARD_BYTES = 4 * 1024**2
MODEL = "model.json"
Json = dict[str, Any]
Array = NDArray[Any]


@dataclass(frozen=True)
class Stored:
    """A constant as the shards hold it.

    Args:
        values: as they are stored.
        dtype: what TF.js makes of them: "float32" or "int32".
        quantization: how, in the manifest's words, or None where nothing is to be done.
    """

    values: Array
    dtype: str = "float32"
    quantization: Mapping[str, str | float] | None = None


@dataclass(frozen=True)
class TfjsModel:
    """A graph model in memory.

    Args:
        nodes: of the topology, constants included.
        weights: constants by the name of their node.
        signature: of the model, as `model.json` has it.
        versions: of the GraphDef.
    """

    nodes: Sequence[Json]
    weights: Mapping[str, Stored]
    signature: Json
    versions: Json


def plain(values: Array) -> Stored:
    """A constant stored as it is, float32 or int32."""
    dtype = str(values.dtype)
    if dtype not in ("float32", "int32"):
        raise ConversionError(f"TF.js constants here are float32 or int32, not {dtype}")
    return Stored(values, dtype)


def write_model(folder: Path, model: TfjsModel, metadata: Metadata, converter: str) -> None:
    """Write `model.json` and its shards into an existing folder; equal models give equal bytes.

    Args:
        folder: where.
        model: what.
        metadata: is stored too, completed with the sha256 of every shard.
        converter: name and version of what made the graph.
    """
    entries: list[Json] = []
    blob = bytearray()
    for name, stored in model.weights.items():
        entry: Json = {"name": name, "shape": list(stored.values.shape), "dtype": stored.dtype}
        if stored.quantization is not None:
            entry["quantization"] = dict(stored.quantization)
        entries.append(entry)
        little = stored.values.astype(stored.values.dtype.newbyteorder("<"), copy=False)
        blob += np.ascontiguousarray(little).tobytes()
    count = max(1, ceil_div(len(blob), SHARD_BYTES))
    names = [f"group1-shard{number}of{count}.bin" for number in range(1, count + 1)]
    for position, name in enumerate(names):
        (folder / name).write_bytes(blob[position * SHARD_BYTES : (position + 1) * SHARD_BYTES])
    shards = {name: sha256_of(folder / name) for name in names}
    document = {
        "format": "graph-model",
        "generatedBy": "esrgan-torch",
        "convertedBy": converter,
        "signature": model.signature,
        "userDefinedMetadata": {KEY: metadata.with_changes(shards=shards).to_dict()},
        "modelTopology": {"node": list(model.nodes), "library": {}, "versions": model.versions},
        "weightsManifest": [{"paths": names, "weights": entries}],
    }
    # sorted, because tensorflowjs gives a node's attributes in another order each time
    text = json.dumps(document, separators=(",", ":"), sort_keys=True)
    (folder / MODEL).write_text(text, encoding="utf-8")


def read_model(folder: Path) -> TfjsModel:
    """Read a graph model, written by this module or by tensorflowjs.

    Raises:
        ArtifactError: `model.json` or a shard is missing, damaged or of the wrong length.
    """
    file = folder / MODEL
    try:
        document: Json = json.loads(file.read_text(encoding="utf-8"))
        topology: Json = document["modelTopology"]
        weights: dict[str, Stored] = {}
        for group in document["weightsManifest"]:
            blob = b"".join(_inside(folder, path).read_bytes() for path in group["paths"])
            weights.update(_cut(blob, group["weights"], file))
        return TfjsModel(topology["node"], weights, document["signature"], topology["versions"])
    except FileNotFoundError as error:
        raise ArtifactError(f"{error.filename} is missing; fetch it again, or convert again") from error
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        raise ArtifactError(f"{file} is not a sound graph model of TF.js: {error}") from error


def _inside(folder: Path, name: str) -> Path:
    """A file of the folder; ValueError for a name that leads elsewhere, or to what is no file."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()) or (path.exists() and not path.is_file()):
        raise ValueError(f"{name!r} is no file of its folder")
    return path


def _cut(blob: bytes, entries: Sequence[Json], file: Path) -> dict[str, Stored]:
    """The constants of one group of shards."""
    weights: dict[str, Stored] = {}
    offset = 0
    for entry in entries:
        quantization: Json | None = entry.get("quantization")
        dtype = np.dtype(quantization["dtype"] if quantization else entry["dtype"]).newbyteorder("<")
        if not all(type(side) is int and side >= 0 for side in entry["shape"]):
            raise ValueError(f"{entry['name']} has no shape")
        count = math.prod(entry["shape"])
        values = np.frombuffer(blob, dtype, count, offset).reshape(entry["shape"])
        weights[entry["name"]] = Stored(values, entry["dtype"], quantization)
        offset += values.nbytes
    if offset != len(blob):
        raise ArtifactError(f"the shards of {file} hold {len(blob)} bytes, its manifest {offset}")
    return weights


def restored(stored: Stored) -> Array:
    """A constant as TF.js sees it after loading."""
    quantization = stored.quantization
    if quantization is None or quantization["dtype"] == "float16":
        return stored.values.astype(stored.dtype)
    scale, low = np.float32(quantization["scale"]), np.float32(quantization["min"])
    return (stored.values * scale + low).astype(stored.dtype)
