"""`.pth`, `.pt` and `.ckpt` files, by `torch.load(weights_only=True)` alone: no code in them is run."""

import pickle
import re
import struct
import warnings
import zipfile
from pathlib import Path

import torch

from esrgan_weights.errors import CheckpointError, UnsafeCheckpointError

ZIP = b"PK\x03\x04"
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
SAFE = "Ask its author for a .safetensors file, or convert it yourself where you trust it."


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
    elif not head.startswith(b"\x80"):
        raise CheckpointError(_what_else(head))
    try:
        with warnings.catch_warnings():
            # torch asks to be told of pickles that it did not write; if they fail, the error says so
            warnings.filterwarnings("ignore", message="Detected pickle protocol")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _refused(error) from error
    except DAMAGE as error:
        raise CheckpointError(f"it is truncated or damaged ({_first_line(error)})") from error


def _check_archive(path: Path) -> None:
    """Look at the zip file's table of contents before torch does.

    Raises:
        CheckpointError: it is truncated, or not what `torch.save` writes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, *DAMAGE) as error:
        raise CheckpointError(
            "it is truncated or damaged: it has no table of contents that can be read"
        ) from error
    if any(name.endswith("/constants.pkl") for name in names):
        raise UnsafeCheckpointError(
            "it is a TorchScript program, not a checkpoint, and would be run to be read. "
            "Save its `state_dict()` as .safetensors where you trust it."
        )
    if not any(name.endswith("data.pkl") for name in names):
        raise CheckpointError("it is a zip file that torch did not write; unpack it first")


def _refused(error: pickle.UnpicklingError) -> CheckpointError:
    text = str(error)
    # torch names what the pickle wanted to import, in one of several phrases
    found = re.search(r"GLOBAL ([\w.]+)", text)
    if found:
        return UnsafeCheckpointError(
            f"its pickle asks for `{found[1]}`, which is neither a tensor nor a plain container and "
            f"could run any code; nothing was run. {SAFE}"
        )
    if "Unsupported operand" in text or "Unsupported class" in text or "Trying to" in text:
        return UnsafeCheckpointError(f"its pickle does more than hold tensors; nothing was run. {SAFE}")
    return CheckpointError(f"it is truncated or damaged ({_first_line(error)})")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _what_else(head: bytes) -> str:
    """Name a file that is no checkpoint by its first bytes."""
    if not head:
        return "it is empty"
    if head.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer; run `git lfs pull` to get the file itself"
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return "it is a web page, as a download link gives when it asks to be confirmed"
    if head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"RIFF")):
        return "it is a picture"
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head):
        return "it is a text file"
    return "it is no checkpoint: its first bytes are those of no known format"
