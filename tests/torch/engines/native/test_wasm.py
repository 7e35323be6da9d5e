"""The kernels' WebAssembly modules: what is committed is what their source gives."""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[4]
ZIG = ROOT / ".venv-zig" / "bin" / "python-zig"


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that makes them, which is no package, with the compiler of `make wasm` where it is here."""
    if "ZIG" not in os.environ and ZIG.exists():
        monkeypatch.setenv("ZIG", str(ZIG))
    specification = importlib.util.spec_from_file_location("wasm_build", ROOT / "web" / "native" / "build.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["simd", "relaxed"])
def test_they_are_of_this_source(build: ModuleType, name: str) -> None:
    committed = (build.TARGET / f"{name}.ts").read_text(encoding="utf-8")
    assert build.source_hash() in committed, "the source was changed: make wasm"


def test_the_version_of_their_interface_is_the_headers(build: ModuleType) -> None:
    made = build.abi_as_typescript()
    assert made == (build.TARGET / "abi.ts").read_text(encoding="utf-8")
    assert "export const ABI = 4;" in made


@pytest.mark.parametrize("name", ["simd", "relaxed"])
def test_they_come_out_the_same_again(build: ModuleType, name: str) -> None:
    missing = build.missing_compiler()
    if missing is not None and os.environ.get("CI"):
        pytest.fail(missing)
    if missing is not None:
        pytest.skip(missing)
    made = build.as_typescript(build.compiled(build.MODULES[name]))
    assert made == (build.TARGET / f"{name}.ts").read_text(encoding="utf-8")


def test_another_compiler_is_refused(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "zig"
    other.write_text("#!/bin/sh\necho 0.1.0\n", encoding="utf-8")
    other.chmod(0o755)
    monkeypatch.setenv("ZIG", str(other))
    monkeypatch.setattr(sys, "argv", ["build.py"])
    assert build.main() == 1
    assert "zig is 0.1.0 here, needed is" in capsys.readouterr().err


def test_the_compiler_is_the_pinned_one(build: ModuleType) -> None:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert f"ziglang=={build.COMPILER}" in pins
