"""The kernels as WebAssembly modules inside TypeScript: `src/engine/kernels/simd.ts` and `relaxed.ts`, and
the version of their interface, `abi.ts`.

    python web/native/build.py            compile and write them: `make wasm`
    python web/native/build.py --check    compile, and fail where they differ

The compiler is zig's, in one version, so that the same source gives the same bytes on every machine: a
program of one's own ($ZIG), or the package `ziglang` in this environment, or `zig` on the path. The modules
are committed: who installs the package needs no compiler.
"""

import argparse
import base64
import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

sys.path.insert(0, str(ROOT))  # the project need not be installed
from esrgan_torch.engines.native.zig import find_zig  # noqa: E402

SOURCE = ROOT / "esrgan_torch" / "engines" / "native" / "source"
TARGET = HERE.parent / "src" / "engine" / "kernels"
COMPILER = "0.17.1"  # the version of zig, as constraints.txt has it
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
    zig = find_zig()
    if zig is None:
        return f"zig {COMPILER} is not here: make .venv-zig/.installed"
    found = subprocess.run([*zig, "version"], check=True, capture_output=True, text=True).stdout.strip()
    return None if found == COMPILER else f"zig is {found} here, needed is {COMPILER}"


def compiled(features: str) -> bytes:
    """A module.

    Raises:
        CalledProcessError: what the compiler said is in `stderr`.
    """
    zig = find_zig()
    assert zig is not None
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.wasm"
        files = [HERE / "wasm.c", *(SOURCE / part for part in PARTS)]
        include = ["-isystem", _name(HERE / "include"), "-I", _name(SOURCE)]
        command = [*zig, "cc", *FLAGS, f"-mcpu={CPU}{features}", *include, *map(_name, files)]
        subprocess.run([*command, "-o", str(made)], check=True, cwd=ROOT, capture_output=True, text=True)
        return made.read_bytes()


def _name(path: Path) -> str:
    """As it is in every clone."""
    return path.relative_to(ROOT).as_posix()


def as_typescript(module: bytes) -> str:
    text = base64.b64encode(module).decode()
    return (
        f"// Made by `make wasm` from the source {source_hash()}, {len(module)} bytes of WebAssembly.\n"
        f'export default "{text}";\n'
    )


def abi_as_typescript() -> str:
    """The version of the structures, as their header has it."""
    header = SOURCE / "esrgan_native.h"
    found = re.search(r"^#define ESRGAN_ABI (\d+)", header.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return (
        "// Made by `make wasm`.\n"
        f"/** The version of the structures in `{_name(header)}` that `runner.ts` writes. */\n"
        f"export const ABI = {found[1]};\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    if missing := missing_compiler():
        print(missing, file=sys.stderr)
        return 1
    texts = {name: as_typescript(compiled(features)) for name, features in MODULES.items()}
    for name, made in (*texts.items(), ("abi", abi_as_typescript())):
        file = TARGET / f"{name}.ts"
        if not options.check:
            file.write_text(made, encoding="utf-8")
        elif file.read_text(encoding="utf-8") != made:
            print(f"{file.relative_to(ROOT)} is not what its source gives: make wasm", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
