"""A folder of what a GPU machine without a network needs beside a checkout, and its use there.

    python -m esrgan_benchmarks gpu.bundle make FOLDER    official weights, compiled kernels, a manifest
    python -m esrgan_benchmarks gpu.bundle open FOLDER    there: unpack; prints variables for the shell

Opening needs no package. Compiled kernels are those of the sources they were made of: others are left out.
What is compiled is kept in the project's folder `build` too, so that making a bundle again is quick.
"""

import argparse
import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from esrgan_benchmarks.core.errors import BenchmarkError

ROOT = Path(__file__).parents[4]
PACKAGE = ROOT / "esrgan_torch" / "engines" / "cuda"
COMPILED = ROOT / "build" / "gpu-kernels"
CUBIN = PACKAGE / "halo" / "conv.sm_90a.cubin"
MANIFEST, KERNELS, WEIGHTS, UNPACKED = "manifest.json", "triton.tar.xz", "weights", "triton"
LARGEST = 55 * 2**20  # bytes: with the checkout itself it has to stay under 64 MiB
GROUP = "__grp__"  # Triton's files that name others by absolute paths
UNFINISHED = "tmp.pid"  # its folders of files that are being written

Manifest = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """Errors as `make_bundle`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("make", "open"))
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--python", default=sys.executable, help="with the device's Python and Triton; to make"
    )
    options = parser.parse_args(arguments)
    if options.action == "make":
        make_bundle(options.folder, options.python)
    else:
        for name, value in open_bundle(options.folder).items():
            print(f"export {name}={shlex.quote(value)}")
    return 0


def make_bundle(folder: Path, python: str) -> None:
    """Make the folder anew and print what it holds.

    Args:
        python: an interpreter of the device's version, with its version of Triton, that can import this.

    Raises:
        BenchmarkError: kernels did not compile or are not found in another folder, or the folder is too
            large to be carried.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _copy_weights(folder / WEIGHTS)
    if CUBIN.exists():
        shutil.copy(CUBIN, folder / CUBIN.name)
    else:
        print("no cubin: `make cubin`, which needs nvcc, makes the halo kernel part of it")
    manifest = _manifest(python)
    cache = _compiled(manifest)
    if _precompile(python, cache):
        raise BenchmarkError("a kernel did not compile, see above; mend it or choose another --python")
    pack(cache, folder / KERNELS)
    with tempfile.TemporaryDirectory() as elsewhere:
        unpack(folder / KERNELS, Path(elsewhere))
        if _precompile(python, Path(elsewhere), "--check"):
            raise BenchmarkError(f"Triton does not find the kernels of {folder / KERNELS} again, see above")
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    sizes = {
        path.relative_to(folder): path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()
    }
    for path, size in sizes.items():
        print(f"{size / 2**20:8.2f} MiB  {path}")
    total = sum(sizes.values())
    print(f"{total / 2**20:8.2f} MiB  in all, of at most {LARGEST / 2**20:.0f}")
    if total > LARGEST:
        raise BenchmarkError(
            f"{folder} has {total} bytes, {LARGEST} at most can be carried: leave kernels out"
        )


def open_bundle(folder: Path) -> dict[str, str]:
    """Put everything where it is looked for; returns variables of the environment.

    What does not fit this checkout or this Python is told on stderr and left out.
    """
    manifest: Manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    variables = {"ESRGAN_CACHE": str((folder / WEIGHTS).resolve()), "COMMIT": str(manifest["commit"])}
    if manifest["sources"] != sources():
        print("the kernels have changed since the bundle was made: they are compiled here", file=sys.stderr)
        return variables
    if (folder / CUBIN.name).exists():
        shutil.copy(folder / CUBIN.name, CUBIN)
    here = _versions()
    if manifest["versions"] == here:
        unpack(folder / KERNELS, folder / UNPACKED)
        variables["TRITON_CACHE_DIR"] = str((folder / UNPACKED).resolve())
    else:
        print(f"compiled for {manifest['versions']}, this is {here}: compiling again", file=sys.stderr)
    return variables


def pack(cache: Path, archive: Path) -> None:
    """Triton's cache, without its locks and unfinished files, into an archive."""
    with tarfile.open(archive, "w:xz") as file:
        for path in sorted(cache.rglob("*")):
            name = path.relative_to(cache)
            if path.is_file() and path.name != "lock" and UNFINISHED not in str(name):
                file.add(path, str(name))


def unpack(archive: Path, cache: Path) -> None:
    """The archive into a cache anywhere: the paths in Triton's files become those of this folder."""
    shutil.rmtree(cache, ignore_errors=True)
    with tarfile.open(archive, "r:xz") as file:
        file.extractall(cache, filter="data")
    for path in cache.rglob(f"{GROUP}*"):
        group = json.loads(path.read_text(encoding="utf-8"))
        names = group["child_paths"]
        group["child_paths"] = {name: str((path.parent / name).resolve()) for name in names}
        path.write_text(json.dumps(group), encoding="utf-8")


def sources() -> str:
    """A hash of all sources of kernels."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in (".py", ".cu", ".cuh"):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _compiled(manifest: Manifest) -> Path:
    """Triton's cache for these sources and versions, made if missing; those of others are removed."""
    wanted = (
        COMPILED
        / hashlib.sha256(json.dumps([manifest["sources"], manifest["versions"]]).encode()).hexdigest()
    )
    for path in COMPILED.glob("*"):
        if path != wanted:
            shutil.rmtree(path)
    wanted.mkdir(parents=True, exist_ok=True)
    return wanted


def _precompile(python: str, cache: Path, *options: str) -> int:
    """Run `gpu.precompile` by another interpreter; its exit status."""
    command = [python, "-m", "esrgan_benchmarks.studies.gpu.precompile", *options]
    environment = {**os.environ, "TRITON_CACHE_DIR": str(cache.resolve())}
    return subprocess.run(command, env=environment, check=False).returncode


def _versions() -> dict[str, str]:
    return {"python": ".".join(platform.python_version_tuple()[:2]), "triton": version("triton")}


def _manifest(python: str) -> Manifest:
    from esrgan_benchmarks.core.record import machine

    return {"commit": machine()["commit"], "sources": sources(), "versions": _versions_of(python)}


def _versions_of(python: str) -> dict[str, str]:
    """As another interpreter has them."""
    code = f"import json; from {__name__} import _versions; print(json.dumps(_versions()))"
    return json.loads(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout)


def _copy_weights(target: Path) -> None:
    from esrgan_benchmarks.studies.gpu.inputs import OFFICIAL
    from esrgan_weights import load
    from esrgan_weights.cache import model_folder
    from esrgan_weights.registry import find

    load(OFFICIAL)  # fetches and verifies
    shutil.copytree(model_folder(find(OFFICIAL)), target / OFFICIAL)
