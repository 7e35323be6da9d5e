"""The compiled library: one that came with the package, or compiled at the first use by the machine's own.

`python -m esrgan_torch.engines.native.build` compiles it into the package. The file's name says from which
source, by which compiler and for which machine it was made, so none is used for another.
"""

import hashlib
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from esrgan_torch.engines.native.library import Library
from esrgan_torch.engines.native.targets import (
    LEVELS,
    PARTS,
    PREBUILT,
    SOURCE,
    Target,
    here,
    source_hash,
)
from esrgan_torch.storage.atomic import atomic_path
from esrgan_torch.storage.cache import cache_folder

log = logging.getLogger("esrgan_torch")

COMPILERS = ("cc", "gcc", "clang")
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


def library_in_use() -> Library | None:
    """The library where somebody has asked for it before; nothing is compiled for this."""
    return library() if _find.cache_info().currsize else None


def reason() -> str:
    """Where the library comes from, or why there is none."""
    with _lock:
        return _find().reason


@cache
def _find() -> Found:
    target, problems = here(), list[str]()
    if target.machine not in LEVELS:
        return Found(None, f"it is not built for {target.system} on {target.machine}")
    if (found := _load(PREBUILT / target.file_name(source_hash()), problems)) is not None:
        return Found(found, "came with the package")
    if target.system == "win32":  # compilers there have other flags
        return Found(
            None, f"this package has none for {target.system} ({', '.join(problems) or 'none built'})"
        )
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
            None, f"there is no C compiler: install gcc or clang ({', '.join(problems) or 'none built'})"
        )
    version = _said_by(compiler, "--version")
    key = hashlib.sha256("\n".join((source_hash(), compiler, version, *here().flags())).encode()).hexdigest()[
        :16
    ]
    folder = library_folder()
    target = folder / here().file_name(key)
    refused = target.with_suffix(
        ".txt"
    )  # what the compiler said, so that it is not asked again with every start
    if refused.exists():
        raise OSError(refused.read_text(encoding="utf-8"))
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        log.info("the native engine is compiled, once: %s", target)
        try:
            compile_library([compiler], target)
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


def compile_library(
    compiler: Sequence[str],
    path: Path,
    target: Target | None = None,
    further: tuple[str, ...] = (),
    longest: float = LONGEST,
) -> None:
    """Compile all parts and link them; the file's folder must exist.

    Args:
        compiler: a command; for another `target` than this machine, one that compiles for it.
        path: the file to make.
        further: flags.
        longest: seconds for a file, and for linking.

    Raises:
        CalledProcessError: what the compiler said is in `stderr`.
        TimeoutExpired: it took longer.
        OSError: the compiler cannot be started, or the file not be written.
    """
    target = here() if target is None else target
    jobs = [
        ([f"-DESRGAN_{name}", *flags], "kernels.c", f"kernels_{name}.o")
        for name, flags in LEVELS[target.machine].items()
    ]
    jobs += [([], part, part.replace(".c", ".o")) for part in PARTS]
    command = [*compiler, *target.flags(), *further]
    with TemporaryDirectory() as place:
        objects = [str(Path(place) / name) for _, _, name in jobs]
        commands = [
            [*command, *flags, "-c", str(SOURCE / part), "-o", made]
            for (flags, part, _), made in zip(jobs, objects, strict=True)
        ]
        running = [
            subprocess.Popen(each, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for each in commands
        ]
        try:
            results = [(process.communicate(timeout=longest)[1], process.returncode) for process in running]
        finally:
            for process in running:
                process.kill()  # nothing where it has ended
        for each, (said, status) in zip(commands, results, strict=True):
            if status != 0:
                raise subprocess.CalledProcessError(status, each, stderr=said)
        linked = Path(place) / path.name  # linkers for Windows write the name into the file
        link = [*command, *target.link_flags(), *objects, "-o", str(linked)]
        subprocess.run(link, check=True, capture_output=True, text=True, timeout=longest)
        with atomic_path(path) as made:
            shutil.copyfile(linked, made)
            made.chmod(0o755)


def first_error(said: str) -> str:
    """The first line of a compiler's output that is an error, or its first line."""
    lines = [line for line in said.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[0] if lines else "it said nothing")


def find_compiler() -> str | None:
    """$CC, or the first of `COMPILERS` that is here."""
    names = [name for name in (os.environ.get("CC"), *COMPILERS) if name]
    return next((path for path in map(shutil.which, names) if path), None)


def library_folder() -> Path:
    """Where compiled libraries are kept: in the folder of the fetched weights."""
    return cache_folder() / "native"


def _said_by(compiler: str, option: str) -> str:
    done = subprocess.run([compiler, option], check=False, capture_output=True, text=True, timeout=LONGEST)
    if done.returncode:
        raise OSError(f"{compiler} is not a working C compiler ({option} ends with status {done.returncode})")
    return done.stdout


def main() -> int:
    """Compile into the package; the exit status."""
    compiler = find_compiler()
    if compiler is None:
        print("there is no C compiler: install gcc or clang", file=sys.stderr)
        return 1
    PREBUILT.mkdir(exist_ok=True)
    target = PREBUILT / here().file_name(source_hash())
    compile_library([compiler], target)
    for other in PREBUILT.glob(here().file_name("*")):
        if other != target:
            other.unlink()
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
