"""The kernels as WebAssembly modules inside TypeScript: `src/kernels/simd.ts` and `relaxed.ts`.

    python web/native/build.py            compile and write them: `make wasm`
    python web/native/build.py --check    compile, and fail where they differ

The compiler is the Python package `ziglang`, in one version, so that the same source gives the same bytes on every
machine. The modules are committed: who installs the package needs no compiler.
"""

import argparse
import base64
import hashlib
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SOURCE = ROOT / "esrgan_torch" / "native" / "source"
TARGET = HERE.parent / "src" / "kernels"
COMPILER = "0.17.1"  # of ziglang, as constraints.txt has it
PARTS = ("kernels.c", "levels.c", "operations.c", "plan.c")
MODULES = {"simd": "", "relaxed": "+relaxed_simd"}
FLAGS = (
    "-target", "wasm32-freestanding", "-std=gnu11", "-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror",
    "-DESRGAN_WASM", "-nostdlib", "-s",
    # the memory is the page's, and shared with its workers where that is allowed
    "-Wl,--no-entry", "-Wl,--import-memory", "-Wl,--shared-memory", "-Wl,--max-memory=4294901760",
    "-Wl,--export=__heap_base", "-Wl,--export=__stack_pointer", "-Wl,-z,stack-size=131072",
)  # fmt: skip
CPU = "generic+simd128+bulk_memory+atomics+mutable_globals"


def source_hash() -> str:
    """Of all that is compiled, and how, in hexadecimal."""
    files = [*HERE.rglob("*.[ch]"), *SOURCE.glob("*.h"), *(SOURCE / part for part in PARTS)]
    digest = hashlib.sha256("\0".join((*FLAGS, CPU, COMPILER)).encode())
    for path in sorted(files, key=lambda path: path.name):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def missing_compiler() -> str | None:
    """None where the compiler is here in the version that is asked for, else what to do."""
    try:
        found = version("ziglang")
    except PackageNotFoundError:
        return f"the compiler is not here: pip install ziglang=={COMPILER}"
    return None if found == COMPILER else f"ziglang is {found} here: pip install ziglang=={COMPILER}"


def compiled(features: str) -> bytes:
    """A module.

    Raises:
        CalledProcessError: what the compiler said is in `stderr`.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.wasm"
        paths = [str((HERE / "wasm.c").relative_to(ROOT)), *(str((SOURCE / part).relative_to(ROOT)) for part in PARTS)]
        include = ["-isystem", str((HERE / "include").relative_to(ROOT)), "-I", str(SOURCE.relative_to(ROOT))]
        command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, f"-mcpu={CPU}{features}", *include, *paths]
        subprocess.run([*command, "-o", str(made)], check=True, cwd=ROOT, capture_output=True, text=True)
        return made.read_bytes()


def as_typescript(module: bytes) -> str:
    text = base64.b64encode(module).decode()
    return (
        f"// Made by `make wasm` from the source {source_hash()}, {len(module)} bytes of WebAssembly.\n"
        f'export default "{text}";\n'
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    if missing := missing_compiler():
        print(missing, file=sys.stderr)
        return 1
    for name, features in MODULES.items():
        made, file = as_typescript(compiled(features)), TARGET / f"{name}.ts"
        if not options.check:
            file.write_text(made, encoding="utf-8")
        elif file.read_text(encoding="utf-8") != made:
            print(f"{file.relative_to(ROOT)} is not what its source gives: make wasm", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
