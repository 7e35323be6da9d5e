"""Pickles (`.pth`, `.pt`, `.ckpt`, `.bin`), by `torch.load(weights_only=True)` alone: no code is run."""

import io
import pickle
import re
import struct
import threading
import warnings
import zipfile
from pathlib import Path
from typing import IO

import torch

from esrgan_torch.storage.packed import packed_damage
from esrgan_weights.errors import CheckpointError, UnsafeCheckpointError
from esrgan_weights.formats.kinds import what_is, what_zip_is
from esrgan_weights.formats.plain_pickle import plainer
from esrgan_weights.recognition.stand_ins import STAND_INS

ZIP = b"PK\x03\x04"
PICKLE = b"\x80"
# what damaged bytes raise inside the unpickler: it follows them without looking
DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
# and in a zip file; of members that bzip2 packed, OSError too
ARCHIVE_DAMAGE = (*packed_damage(), *DAMAGE)
SAFE = "Ask its author for a .safetensors file, or convert it yourself where you trust it."
# in torch's older format five pickles follow each other before the numbers, the first of them this
LEGACY_MAGIC = bytes.fromhex("6cfc9c46f9206aa85019")
LEGACY_PICKLES = 5
MOST_PACKED = 8  # times; torch does not pack, and what others pack of weights hardly gets smaller
SPARE = 1 << 26  # bytes
UNTYPED = "'torch.storage.UntypedStorage' has no attribute 'dtype'"  # what torch says there of newer types
# torch keeps the allowed names for the whole process: one file at a time may add to them
_ALLOWED = threading.Lock()


def read_pickle(path: Path) -> object:
    """What the file holds: nested containers of tensors and plain values.

    Raises:
        UnsafeCheckpointError: the file asks for more than that; it was not run.
        CheckpointError: the file is truncated, damaged, or no checkpoint at all.
        OSError: the file cannot be read.
    """
    with path.open("rb") as stream:
        head = stream.read(512)
    if head.startswith(ZIP):
        _check_archive(path)
    elif not head.startswith(PICKLE):
        raise CheckpointError(f"it is {what_is(head, path.suffix.lower())}")
    try:
        with path.open("rb") as stream:  # by its name torch would take some files for others
            return _load(stream)
    except (pickle.UnpicklingError, *DAMAGE) as first:
        return _read_rewritten(path, first)


def _load(source: IO[bytes]) -> object:
    with warnings.catch_warnings():
        # torch asks to be told of pickles that it did not write; if they fail, the error says so
        warnings.filterwarnings("ignore", message="Detected pickle protocol")
        return torch.load(source, map_location="cpu", weights_only=True)


def _read_rewritten(path: Path, first: Exception) -> object:
    """Once more, with the pickle in plainer words; `first` is why torch refused it as it is."""
    content = path.read_bytes()
    try:
        rewritten = _rewritten(content)
        with _ALLOWED, torch.serialization.safe_globals([(made, name) for name, made in STAND_INS.items()]):
            return _load(rewritten)
    except pickle.UnpicklingError as error:
        raise _refused(error) from error
    except (OSError, *ARCHIVE_DAMAGE) as error:
        if UNTYPED in str(error):
            raise CheckpointError(
                "it holds float8 numbers in torch's older format or in a plain pickle, which torch itself "
                "cannot read; write it with `torch.save` as it is, or as .safetensors"
            ) from error
        raise CheckpointError(f"it is truncated or damaged ({_first_line(first)})") from first


def _rewritten(content: bytes) -> io.BytesIO:
    """A file of torch's with each pickle in the words of protocol 2."""
    if content.startswith(ZIP):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            records = {name: archive.read(name) for name in archive.namelist()}
        return _archive(
            {
                name: plainer(io.BytesIO(record)) if name.endswith("/data.pkl") else record
                for name, record in records.items()
            }
        )
    stream = io.BytesIO(content)
    first = plainer(stream)
    if LEGACY_MAGIC not in first:  # a plain pickle, as `pickle.dump` writes
        return _archive(
            {"archive/data.pkl": first, "archive/version": b"3\n", "archive/byteorder": b"little"}
        )
    others = [plainer(stream) for _ in range(LEGACY_PICKLES - 1)]
    return io.BytesIO(b"".join([first, *others, stream.read()]))


def _archive(records: dict[str, bytes]) -> io.BytesIO:
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_STORED) as archive:
        for name, record in records.items():
            archive.writestr(name, record)
    result.seek(0)
    return result


def _check_archive(path: Path) -> None:
    """Look at the zip file's table of contents before torch does.

    Raises:
        CheckpointError: it is truncated, or not what `torch.save` writes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            unpacked = sum(member.file_size for member in archive.infolist())
    except ARCHIVE_DAMAGE as error:
        raise CheckpointError(
            "it is truncated or damaged: it has no table of contents that can be read"
        ) from error
    if unpacked > path.stat().st_size * MOST_PACKED + SPARE:
        raise CheckpointError(
            f"it unpacks to {unpacked:,} bytes, far more than weights can be packed; save it again with "
            "torch.save"
        )
    if any(name.endswith("/constants.pkl") for name in names):
        raise UnsafeCheckpointError(
            "it is a TorchScript program, not a checkpoint, and would be run to be read. "
            "Save its `state_dict()` as .safetensors where you trust it."
        )
    if not any(name.endswith("data.pkl") for name in names):
        raise CheckpointError(f"it is {what_zip_is(names)}")


def _refused(error: pickle.UnpicklingError) -> CheckpointError:
    text = str(error)
    # torch names what the pickle wanted to import, in one of several phrases
    found = re.search(r"GLOBAL ([\w.]+)", text)
    if found and re.search(r"(^|\.)(nn\.modules|archs?|models?|networks?)\.", found[1]):
        return UnsafeCheckpointError(
            f"it holds a whole network object (of the class `{found[1]}`), whose code would be run to read "
            "it; nothing was run. Save its `state_dict()` as .safetensors where you trust it."
        )
    if found:
        return UnsafeCheckpointError(
            f"its pickle asks for `{found[1]}`, which is neither a tensor nor a plain container and "
            f"could run any code; nothing was run. {SAFE}"
        )
    if (
        "Unsupported operand" in text
        or "Unsupported class" in text
        or "Trying to" in text
        or "Can only" in text
    ):
        return UnsafeCheckpointError(f"its pickle does more than hold tensors; nothing was run. {SAFE}")
    return CheckpointError(f"it is truncated or damaged ({_first_line(error)})")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
