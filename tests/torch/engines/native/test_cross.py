"""Wheels of every system: their library, compiled by zig, and the wheel around it."""

import os
import runpy
import shutil
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import pytest

from esrgan_torch.engines.native import build, cross
from esrgan_torch.engines.native.library import Library
from esrgan_torch.engines.native.targets import WHEELS, here, source_hash
from esrgan_torch.errors import EngineError
from tests.conftest import ROOT
from tests.torch.engines.native.levels import levels
from tests.torch.engines.native.test_build import DRIVER

ZIG = ROOT / ".venv-zig" / "bin" / "python-zig"


@pytest.fixture
def zig(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """zig's command: that of `make wheel`, or another that is here."""
    if ZIG.exists() and "ZIG" not in os.environ:
        monkeypatch.setenv("ZIG", str(ZIG))
    found = cross.find_zig()
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("continuous integration installs zig: make .venv-zig/.installed")
        pytest.skip("zig is not here: make .venv-zig/.installed")
    return found


def test_what_is_said_without_zig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross, "find_zig", lambda: None)
    with pytest.raises(EngineError, match="pip install ziglang"):
        cross.compile_for(WHEELS["linux-x86_64"], tmp_path)


@pytest.mark.usefixtures("zig")
def test_what_zig_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "PARTS", ("none.c",))
    with pytest.raises(EngineError, match=r"zig cannot compile for aarch64-linux-gnu.*none\.c"):
        cross.compile_for(WHEELS["linux-aarch64"], tmp_path)


@pytest.mark.usefixtures("zig")
def test_the_same_bytes_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From another folder, by a zig that has kept nothing."""
    made: list[bytes] = []
    for number in range(2):
        folder = tmp_path / ("deeper/" * number + "folder")
        shutil.copytree(build.SOURCE, folder / "source")
        monkeypatch.setattr(build, "SOURCE", folder / "source")
        monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", str(folder / "zig"))
        made.append(cross.compile_for(WHEELS["linux-aarch64"], folder).read_bytes())
    assert made[0] == made[1]
    assert made[0][:4] == b"\x7fELF"


@pytest.mark.usefixtures("zig")
def test_the_library_of_this_machine_s_wheel_runs(tmp_path: Path) -> None:
    ours = here()
    target = next((each for each in WHEELS.values() if each.file_name("") == ours.file_name("")), None)
    if target is None:
        pytest.skip("no wheel is made for this machine")
    path = cross.compile_for(target, tmp_path)
    assert path.name == ours.file_name(source_hash())  # what the package looks for
    assert list(Library(path).levels()) == levels()


@pytest.mark.usefixtures("zig")
def test_the_library_of_macs_is_linked(tmp_path: Path) -> None:
    """No emulator runs it."""
    made = cross.compile_for(WHEELS["macos-arm64"], tmp_path).read_bytes()
    assert made.startswith(b"\xcf\xfa\xed\xfe")  # of Mach-O, 64 bits
    assert b"esrgan_open" in made


EMULATORS = {"linux-aarch64": ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"], "windows-x86_64": ["wine"]}


@pytest.mark.parametrize("system", EMULATORS)
def test_the_library_runs_in_an_emulator(system: str, zig: list[str], tmp_path: Path) -> None:
    """By a program in C, which checks what every level of instructions computes."""
    emulator = EMULATORS[system]
    if shutil.which(emulator[0]) is None or not all(Path(folder).exists() for folder in emulator[2:]):
        pytest.skip(f"{' '.join(emulator)} is not here")
    target = WHEELS[system]
    library = cross.compile_for(target, tmp_path)
    program = tmp_path / "driver.exe"
    command = [*zig, "cc", "-target", target.zig, "-O1", f"-I{build.SOURCE}", str(DRIVER), str(library)]
    further = [] if target.system == "win32" else ["-lm", "-pthread", "-Wl,-rpath,$ORIGIN"]
    subprocess.run([*command, *further, "-o", str(program)], check=True, capture_output=True, text=True)
    environment = {**os.environ, "WINEPREFIX": str(tmp_path / "wine"), "WINEDEBUG": "-all"}
    environment["WINEDLLOVERRIDES"] = "mscoree,mshtml="  # else it asks whether to fetch them
    result = subprocess.run(
        [*emulator, str(program)], env=environment, capture_output=True, text=True, timeout=300
    )
    levels_there = {"aarch64": ["neon"], "x86_64": levels()}[target.machine]
    assert result.stdout.split("\n")[:-1] == [f"{level} ok" for level in levels_there], result.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a wheel is made of, without libraries that were compiled here."""
    for name in ("pyproject.toml", "README.md", "LICENSE", "THIRD_PARTY.md", "hatch_build.py"):
        shutil.copy(ROOT / name, tmp_path)
    ignored = shutil.ignore_patterns("__pycache__", "lib", "results", "demo_files", "bundled")
    for part in ("esrgan_torch", "weights", "bridge", "benchmarks", "cli"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignored)
    return tmp_path


def test_a_wheel_holds_the_library_of_its_system_alone(checkout: Path) -> None:
    folder = checkout / "esrgan_torch" / "engines" / "native" / "lib"
    folder.mkdir()
    names = [target.file_name(source_hash()) for target in WHEELS.values()]
    for name in names:
        (folder / name).write_text("not a library", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", "made", "."]
    environment = {**os.environ, "ESRGAN_WHEEL": "macos-arm64"}
    result = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    (wheel,) = (checkout / "made").glob("*.whl")
    assert wheel.name.endswith("-py3-none-macosx_11_0_arm64.whl")
    with zipfile.ZipFile(wheel) as archive:
        libraries = [name for name in archive.namelist() if "/native/lib/" in name]
        (about,) = (name for name in archive.namelist() if name.endswith(".dist-info/WHEEL"))
        assert "Root-Is-Purelib: false" in archive.read(about).decode()
    assert libraries == [f"esrgan_torch/engines/native/lib/{WHEELS['macos-arm64'].file_name(source_hash())}"]


def test_a_wheel_without_its_library_is_refused(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the hook alone; hatchling is in the environment that pip makes, not in this one."""
    for name, kind in (("builders.hooks", "BuildHookInterface"), ("metadata", "MetadataHookInterface")):
        interface = types.ModuleType(f"hatchling.{name}.plugin.interface")
        monkeypatch.setattr(interface, kind, object, raising=False)
        monkeypatch.setitem(sys.modules, interface.__name__, interface)
    module = runpy.run_path(str(checkout / "hatch_build.py"))
    added: dict[str, object] = {"artifacts": []}
    monkeypatch.setattr("esrgan_torch.engines.native.targets.PREBUILT", checkout / "lib")
    for name, said in (("linux-aarch64", "native.cross linux-aarch64"), ("amiga", "not amiga")):
        monkeypatch.setenv("ESRGAN_WHEEL", name)
        with pytest.raises((FileNotFoundError, ValueError), match=said):
            module["NativeLibrary"]().initialize("standard", added)
    module["NativeLibrary"]().initialize("editable", added)
    monkeypatch.delenv("ESRGAN_WHEEL")
    module["NativeLibrary"]().initialize("standard", added)
    assert added == {"artifacts": []}
