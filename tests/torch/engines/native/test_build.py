"""Compiling: once, kept, and never an error; and the C code under the sanitizers."""

import logging
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from esrgan_torch.engines.native import build
from esrgan_torch.engines.native.targets import here, source_hash
from tests.torch.engines.native.levels import needs_native

DRIVER = Path(__file__).with_name("driver.c")
needs_compiler = pytest.mark.skipif(build.find_compiler() is None, reason="no C compiler")


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache, and no library of this process or of the package."""
    monkeypatch.setenv("ESRGAN_CACHE", str(tmp_path))
    monkeypatch.setattr(build, "PREBUILT", tmp_path / "none")
    build._find.cache_clear()
    yield tmp_path / "native"
    build._find.cache_clear()


@needs_compiler
@needs_native
def test_compiled_once_and_kept(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert build.library() is not None
    assert build.reason().startswith("compiled by ")
    assert [path.suffix for path in fresh.iterdir()] == [".so"]
    build._find.cache_clear()
    monkeypatch.setattr(build, "compile_library", lambda *given: pytest.fail("compiled again"))
    assert build.library() is not None


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@needs_native
def test_a_compiler_that_fails_is_told_and_asked_once(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls = tmp_path / "calls"
    text = (
        f'echo "$1" >> {calls}; [ "$1" = --version ] && exit 0; '
        'echo warning: w >&2; echo "a.c:1: error: no" >&2; exit 1'
    )
    monkeypatch.setenv("CC", str(script(tmp_path / "broken-cc", text)))
    for _ in range(2):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert build.library() is None
        assert "could not compile it: a.c:1: error: no" in caplog.text
        build._find.cache_clear()
        compilations = [line for line in calls.read_text().split() if line != "--version"]
        assert len(compilations) == len(build.LEVELS[here().machine]) + len(build.PARTS)
    assert [path.suffix for path in fresh.iterdir()] == [".txt"]


@pytest.mark.usefixtures("fresh")
def test_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_compiler", lambda: None)
    assert build.library() is None
    assert "there is no C compiler" in build.reason() or "is not built for" in build.reason()


@needs_native
@pytest.mark.usefixtures("fresh")
def test_a_damaged_prebuilt_library_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / here().file_name(source_hash())).write_bytes(b"not a library")
    monkeypatch.setattr(build, "PREBUILT", folder)
    monkeypatch.setattr(build, "find_compiler", lambda: None)
    assert build.library() is None
    assert "cannot be loaded" in build.reason()


@needs_compiler
@needs_native
def test_a_library_that_came_with_the_package_is_taken(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build.main() == 0
    made = Path(capsys.readouterr().out.strip())
    assert made.parent == build.PREBUILT
    monkeypatch.setattr(build, "find_compiler", lambda: pytest.fail("no compiler is needed"))
    assert build.library() is not None
    assert build.reason() == "came with the package"
    assert not fresh.exists()


def test_the_first_error() -> None:
    assert build.first_error("x.c: warning: a\nx.c: error: b\nx.c: error: c\n") == "x.c: error: b"
    assert build.first_error("\n") == "it said nothing"


ARM = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64")


@pytest.mark.skipif(None in ARM, reason="needs aarch64-linux-gnu-gcc and qemu-aarch64")
def test_on_arm_in_an_emulator(tmp_path: Path) -> None:
    sources = [str(build.SOURCE / part) for part in ("kernels.c", *build.PARTS)]
    program = str(tmp_path / "driver")
    flags = [*here().flags(), "-static", "-pthread", "-DESRGAN_NEON", f"-I{build.SOURCE}"]
    command = [str(ARM[0]), *flags, *sources, str(DRIVER), "-lm", "-o", program]
    subprocess.run(command, check=True, capture_output=True, text=True)
    result = subprocess.run([str(ARM[1]), program], capture_output=True, text=True, timeout=120)
    assert result.stdout == "neon ok\n", result.stderr


@needs_compiler
@needs_native
def test_under_the_sanitizers(tmp_path: Path) -> None:
    """A network of every kind of operation, on odd sizes and every level, in a program without Python."""
    compiler = build.find_compiler()
    assert compiler is not None
    checks = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    library = tmp_path / "libchecked.so"
    try:
        build.compile_library([compiler], library, further=checks)
    except subprocess.CalledProcessError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{compiler} has no sanitizers: {build.first_error(error.stderr)}")
    program = tmp_path / "driver"
    parts = [
        f"-I{build.SOURCE}",
        str(DRIVER),
        str(library),
        "-lm",
        f"-Wl,-rpath,{tmp_path}",
        "-o",
        str(program),
    ]
    subprocess.run([compiler, *checks, "-pthread", *parts], check=True, capture_output=True, text=True)
    result = subprocess.run([str(program)], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count(" ok\n") == len(build.LEVELS[here().machine]) or "not here" in result.stdout
