"""What the library is compiled from and for, and what its file is called.

Nothing heavy is imported: the hook that makes wheels reads this too.
"""

import hashlib
import platform
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parent / "source"
PREBUILT = Path(__file__).parent / "lib"
# the same results whatever the compiler: products and sums are fused only where the source says so
FLAGS = ("-std=gnu11", "-O3", "-ffp-contract=off", "-fvisibility=hidden", "-Wall", "-Wextra")
PARTS = ("engine.c", "levels.c", "operations.c", "plan.c")
LEVELS: dict[str, dict[str, tuple[str, ...]]] = {  # of `kernels.c`, which is compiled for each
    "x86_64": {"AVX512": ("-mavx512f", "-mfma"), "AVX2": ("-mavx2", "-mfma"), "SSE2": ()},
    "aarch64": {"NEON": ()},
}
SUFFIXES = {"darwin": ".dylib", "win32": ".dll"}  # else .so


@dataclass(frozen=True)
class Target:
    """A system and a processor.

    Args:
        system: as `sys.platform` has it.
        machine: as `LEVELS` has it.
        zig: what zig's C compiler calls it, with the oldest system that it shall run on.
        tag: the platform of its wheel.
    """

    system: str
    machine: str
    zig: str = ""
    tag: str = ""

    def file_name(self, key: str) -> str:
        """Of the library that was made from `key`."""
        suffix = SUFFIXES.get(self.system, ".so")
        return f"libesrgan-{key}-{self.system}-{self.machine}{suffix}"

    def flags(self) -> tuple[str, ...]:
        """For every file, and to link them."""
        return FLAGS if self.system == "win32" else (*FLAGS, "-fPIC", "-pthread")

    def link_flags(self) -> tuple[str, ...]:
        """To link the library. A name that says nothing about where it was compiled."""
        name = ("-Wl,-install_name,@rpath/libesrgan.dylib",) if self.system == "darwin" else ()
        return ("-shared", *name)


WHEELS = {
    "linux-x86_64": Target("linux", "x86_64", "x86_64-linux-gnu.2.17", "manylinux_2_17_x86_64"),
    "linux-aarch64": Target("linux", "aarch64", "aarch64-linux-gnu.2.17", "manylinux_2_17_aarch64"),
    "macos-arm64": Target("darwin", "aarch64", "aarch64-macos.11.0", "macosx_11_0_arm64"),
    "windows-x86_64": Target("win32", "x86_64", "x86_64-windows-gnu", "win_amd64"),
}


def here() -> Target:
    """The system and the processor of this process."""
    return Target(sys.platform, machine())


def machine() -> str:
    """The processor's family, as `LEVELS` names it."""
    found = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(found, found)


@cache
def source_hash() -> str:
    """Of all files that are compiled, in hexadecimal."""
    digest = hashlib.sha256()
    for path in sorted(SOURCE.glob("*.[ch]")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
