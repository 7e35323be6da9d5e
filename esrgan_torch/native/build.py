"""The compiled library: one that came with the package, or compiled at the first use by the machine's own.

`python -m esrgan_torch.native.build` compiles it into the package, for a wheel. The file's name says from
which source, by which compiler and for which machine it was made, so none is used for another.
"""

import hashlib
import logging
import os
import platform
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from esrgan_torch.atomic import atomic_path
from esrgan_torch.native.library import Library

log = logging.getLogger("esrgan_torch")

SOURCE = Path(__file__).parent / "source"
PREBUILT = Path(__file__).parent / "lib"
COMPILERS = ("cc", "gcc", "clang")
# the same results whatever the compiler: products and sums are fused only where the source says so
FLAGS = ("-std=gnu11", "-O3", "-fPIC", "-ffp-contract=off", "-fvisibility=hidden", "-Wall", "-Wextra")
SHARED = ("-shared", "-pthread")
PARTS = ("engine.c", "levels.c", "operations.c", "plan.c")
LEVELS: dict[str, dict[str, tuple[str, ...]]] = {  # of `kernels.c`, which is compiled for each
    "x86_64": {"AVX512": ("-mavx512f", "-mfma"), "AVX2": ("-mavx2", "-mfma"), "SSE2": ()},
    "aarch64": {"NEON": ()},
}
LONGEST = 120.0  # seconds for a compilation; it takes a few

_lock = threading.Lock()


@dataclass(frozen=True)
class Found:
    """A library that runs here, or why there is none."""

    library: Library | None
    reason: str


def library() -> Library | None:
    """The library, compiled now if it must be; None where that is not possible, which is told once."""
    with _lock:
        return _find().library


def reason() -> str:
    """Where the library comes from, or why there is none."""
    with _lock:
        return _find().reason


@cache
def _find() -> Found:
    if machine() not in LEVELS or sys.platform == "win32":
        return Found(None, f"it is not built for {sys.platform} on {platform.machine()}")
    problems: list[str] = []
    if (found := _load(PREBUILT / file_name(source_hash()), problems)) is not None:
        return Found(found, "came with the package")
    try:
        return _compiled(problems)
    except (OSError, subprocess.SubprocessError) as error:
        problems.append(str(error))
    log.warning("the native engine is not used: %s", problems[-1])
    return Found(None, problems[-1])


def _compiled(problems: list[str]) -> Found:
    compiler = find_compiler()
    if compiler is None:
        return Found(
            None, f"no C compiler is here: install gcc or clang ({', '.join(problems) or 'none built'})"
        )
    version = _said_by(compiler, "--version")
    key = hashlib.sha256("\n".join((source_hash(), compiler, version, *FLAGS)).encode()).hexdigest()[:16]
    folder = cache_folder()
    target = folder / file_name(key)
    refused = target.with_suffix(
        ".txt"
    )  # what the compiler said, so that it is not asked again with every start
    if refused.exists():
        raise OSError(refused.read_text(encoding="utf-8"))
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        log.info("the native engine is compiled, once: %s", target)
        try:
            compile_library(compiler, target)
        except subprocess.CalledProcessError as error:
            said = f"{compiler} could not compile it: {first_error(error.stderr)}"
            with atomic_path(refused) as path:
                path.write_text(said, encoding="utf-8")
            raise OSError(said) from error
    found = _load(target, problems)
    if found is None:
        raise OSError(problems[-1])
    return Found(found, f"compiled by {version.splitlines()[0]}")


def _load(path: Path, problems: list[str]) -> Library | None:
    if not path.exists():
        return None
    try:
        return Library(path)
    except (OSError, AttributeError) as error:  # of another system's libraries, or damaged
        problems.append(f"{path} cannot be loaded ({error})")
        return None


def compile_library(compiler: str, target: Path, further: tuple[str, ...] = ()) -> None:
    """Compile all parts and link them; the target's folder must exist.

    Raises:
        CalledProcessError: what the compiler said is in `stderr`.
        OSError: the compiler cannot be started, or the target not be written.
    """
    jobs = [
        ([f"-DESRGAN_{name}", *flags], "kernels.c", f"kernels_{name}.o")
        for name, flags in LEVELS[machine()].items()
    ]
    jobs += [([], part, part.replace(".c", ".o")) for part in PARTS]
    with TemporaryDirectory() as place, atomic_path(target) as path:
        objects = [str(Path(place) / name) for _, _, name in jobs]
        commands = [
            [compiler, *FLAGS, *further, *flags, "-c", str(SOURCE / part), "-o", made]
            for (flags, part, _), made in zip(jobs, objects, strict=True)
        ]
        running = [
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for command in commands
        ]
        results = [(process.communicate(timeout=LONGEST)[1], process.returncode) for process in running]
        for command, (said, status) in zip(commands, results, strict=True):
            if status != 0:
                raise subprocess.CalledProcessError(status, command, stderr=said)
        link = [compiler, *FLAGS, *further, *SHARED, *objects, "-o", str(path)]
        subprocess.run(link, check=True, capture_output=True, text=True, timeout=LONGEST)
        path.chmod(0o755)


def first_error(said: str) -> str:
    """The first line of a compiler's output that is an error, or its first line."""
    lines = [line for line in said.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[0] if lines else "it said nothing")


def find_compiler() -> str | None:
    """$CC, or the first of `COMPILERS` that is here."""
    names = [name for name in (os.environ.get("CC"), *COMPILERS) if name]
    return next((path for path in map(shutil.which, names) if path), None)


@cache
def source_hash() -> str:
    """Of all files that are compiled, in hexadecimal."""
    digest = hashlib.sha256()
    for path in sorted(SOURCE.glob("*.[ch]")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def file_name(key: str) -> str:
    """Of the library that was made from `key`, for this system and machine."""
    return f"libesrgan-{key}-{sys.platform}-{machine()}.so"


def machine() -> str:
    """The processor's family, as `LEVELS` names it."""
    found = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(found, found)


def cache_folder() -> Path:
    """Where compiled libraries are kept: in the folder of the fetched weights."""
    chosen = os.environ.get("ESRGAN_CACHE")
    if chosen:
        return Path(chosen).expanduser() / "native"
    import platformdirs

    return Path(platformdirs.user_cache_dir("esrgan-torch")) / "native"


def _said_by(compiler: str, option: str) -> str:
    return subprocess.run(
        [compiler, option], check=True, capture_output=True, text=True, timeout=LONGEST
    ).stdout


def main() -> int:
    """Compile into the package; the exit status."""
    compiler = find_compiler()
    if compiler is None:
        print("no C compiler is here: install gcc or clang", file=sys.stderr)
        return 1
    PREBUILT.mkdir(exist_ok=True)
    target = PREBUILT / file_name(source_hash())
    compile_library(compiler, target)
    for other in PREBUILT.glob(f"libesrgan-*-{sys.platform}-{machine()}.so"):
        if other != target:
            other.unlink()
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
