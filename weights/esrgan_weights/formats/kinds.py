"""Files that are no checkpoint at all, told by how they begin, and archives by what they hold."""

from collections.abc import Sequence
from pathlib import PurePath

# (how the file begins, what it is)
BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "a Git LFS pointer; run `git lfs pull` to get the file itself"),
    (b"GGUF", "a GGUF file, for llama.cpp and its relatives"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes; give the PyTorch checkpoint it was made from"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it and give the file inside"),
    (b"Rar!\x1a\x07", "a RAR archive; unpack it and give the file inside"),
    (b"\x1f\x8b", "a gzip archive; unpack it and give the file inside"),
    (b"\xfd7zXZ\x00", "an xz archive; unpack it and give the file inside"),
    (b"BZh", "a bzip2 archive; unpack it and give the file inside"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive; unpack it and give the file inside"),
    (b"\x93NUMPY", "a single NumPy array"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"RIFF", "a picture"),
    (b"GIF8", "a picture"),
    (b"%PDF", "a PDF"),
    (b"MZ", "a program for Windows"),
)
PAGES = (b"<!doctype", b"<html")
ONNX = "an ONNX file, a graph without its training form; give the PyTorch checkpoint it was made from"
WEIGHTS = (".pth", ".pt", ".ckpt", ".safetensors", ".bin", ".param")
SHOWN = 3


def is_another(head: bytes) -> bool:
    """Whether a file that is named as safetensors or ncnn is plainly something else.

    Args:
        head: its first bytes, 32 at least.
    """
    begins = head.startswith(
        (b"PK\x03\x04", *(beginning for beginning, _ in BEGINNINGS if len(beginning) > 2))
    )
    return begins or head.lstrip().lower().startswith(PAGES)


def what_is(head: bytes, suffix: str) -> str:
    """Name a file that is no checkpoint.

    Args:
        head: its first bytes, 512 or all of them.
        suffix: of its name, with the dot.
    """
    if not head:
        return "empty"
    for beginning, what in BEGINNINGS:
        if head.startswith(beginning):
            return what
    if head[4:8] == b"TFL3":
        return "a TensorFlow Lite model; give the PyTorch checkpoint it was made from"
    if head[257:262] == b"ustar":
        return "a tar archive; unpack it and give the file inside"
    if head.lstrip().lower().startswith(PAGES):
        return "a web page, as a download link gives when it asks to be confirmed; download the file itself"
    # protocol buffers: field 1 is ONNX's version (3 and more) or TensorFlow's (1)
    if suffix == ".onnx" or (
        head[:1] == b"\x08" and 3 <= head[1] < 64 and head[2:3] in (b"\x12", b"\x1a", b":")
    ):
        return ONNX
    if head[:3] == b"\x08\x01\x12":
        return "a TensorFlow SavedModel; give the PyTorch checkpoint it was made from"
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head):
        return "a text file"
    return "no checkpoint: its first bytes are those of no known format"


def what_zip_is(names: Sequence[str]) -> str:
    """Name a zip archive that torch did not write, by the names in it."""
    if any(name.endswith("model.weights.h5") for name in names):
        return "a Keras model; give the PyTorch checkpoint it was made from"
    if names and all(name.endswith(".npy") for name in names):
        return "an archive of NumPy arrays (.npz)"
    inside = [name for name in names if PurePath(name).suffix.lower() in WEIGHTS]
    if inside:
        shown = ", ".join(inside[:SHOWN]) + (", ..." if len(inside) > SHOWN else "")
        return f"a zip archive; unpack it and give the file inside ({shown})"
    return "a zip file that torch did not write; unpack it first"
