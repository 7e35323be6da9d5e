"""Where zig is, whose C compiler makes the libraries of wheels and the kernels' WebAssembly modules.

Python's own library alone is imported: `make wasm` runs where nothing is installed.
"""

import os
import shlex
import shutil
import sys
from importlib.util import find_spec


def find_zig() -> list[str] | None:
    """The command of zig, or None."""
    if chosen := os.environ.get("ZIG"):
        return shlex.split(chosen)
    if find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang"]
    path = shutil.which("zig")
    return None if path is None else [path]
