"""Kernels compiled beforehand are found again, in another folder; what does not fit is left out."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
import torch

pytest.importorskip("triton")

from triton import knobs
from triton.runtime import driver
from triton.runtime.jit import JITFunction

from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_benchmarks.studies.gpu import bundle as gpu_bundle
from esrgan_benchmarks.studies.gpu import precompile as gpu_precompile
from esrgan_torch.engines.cuda import conv_taps
from esrgan_torch.engines.cuda.flat import FlatShape
from esrgan_torch.engines.cuda.launch import run_step
from esrgan_torch.engines.cuda.tuning import Capability, table_for
from tests.torch.engines.cuda.steps_at_random import CONVOLUTIONS, dense_buffer

HOPPER: Capability = (9, 0)


def launch_first() -> None:
    run_step(CONVOLUTIONS["first"](dense_buffer(FlatShape(1, 3, 3), torch.float16)), table_for(HOPPER))


@pytest.fixture
def own_triton(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """What the tests change of Triton is as it was afterwards."""
    monkeypatch.setattr(driver, "_active", driver._active)
    monkeypatch.setattr(knobs.compilation, "store_binary_only", True)
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path / "cache"))
    conv_taps.conv_taps.device_caches.clear()
    yield tmp_path
    conv_taps.conv_taps.device_caches.clear()


def test_a_kernel_compiled_beforehand_is_found(own_triton: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = gpu_precompile.jobs(HOPPER, launch_first)
    assert (job.module, job.name) == ("esrgan_torch.engines.cuda.conv_taps", "conv_taps")
    assert gpu_precompile._compile(job, time.monotonic() - 1) == gpu_precompile.NO_TIME
    assert gpu_precompile._compile(job) is None
    gpu_bundle.pack(own_triton / "cache", own_triton / "kernels.tar.xz")
    shutil.rmtree(own_triton / "cache")
    gpu_bundle.unpack(own_triton / "kernels.tar.xz", own_triton / "elsewhere")

    # a launch, as on the device but for the launch itself
    for folder, absent in (("elsewhere", []), ("empty", ["conv_taps"])):
        monkeypatch.setenv("TRITON_CACHE_DIR", str(own_triton / folder))
        conv_taps.conv_taps.device_caches.clear()
        assert gpu_precompile.missing(HOPPER, launch_first) == absent
    assert JITFunction.run.__name__ == "run"
    assert knobs.compilation.listener is None


@pytest.mark.usefixtures("own_triton")
def test_the_tables_of_both_precisions() -> None:
    video = gpu_precompile.jobs(HOPPER, lambda: gpu_precompile.launch_video(HOPPER))
    assert {job.name for job in video} == {
        "split_pixels", "clear_border", "conv_taps", "conv_rows", "join_pixels",
    }  # fmt: skip
    jobs = gpu_precompile.jobs(HOPPER, lambda: gpu_precompile.launch_tables(HOPPER))
    names = [job.name for job in jobs]
    assert {*names} == {"conv_rows", "conv_taps", "upsample", "clear_border"}
    # pair1, pair2 and conv_hr, inner in two sizes of tiles; outer, body, rest, last; in two precisions
    assert names.count("conv_rows") == 2 * (2 * 4 + 4)


@pytest.mark.usefixtures("own_triton")
def test_candidates_are_compiled_in_the_order_of_the_sweep() -> None:
    jobs = gpu_precompile.jobs(HOPPER, lambda: gpu_precompile.launch_candidates(HOPPER))
    constants = [json.loads(job.specialization)["constant_vals"] for job in jobs if job.name == "conv_rows"]
    # inputs and pixels of a program: conv5 and conv3 have most of the work
    assert {values[0] for values in constants[:8]} == {128, 192}
    pixels = [values[3] for values in constants]
    assert pixels == sorted(pixels, key=lambda count: count != 256)


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as `make_bundle` leaves it, and no cubin in the package."""
    monkeypatch.setattr(gpu_bundle, "CUBIN", tmp_path / "package" / "conv.sm_90a.cubin")
    folder = tmp_path / "bundle"
    (tmp_path / "package").mkdir()
    (tmp_path / "cache" / "key").mkdir(parents=True)
    (tmp_path / "cache" / "key" / "kernel.cubin").write_bytes(b"code")
    group = {"child_paths": {"kernel.cubin": "/far/away/key/kernel.cubin"}}
    (tmp_path / "cache" / "key" / "__grp__kernel.json").write_text(json.dumps(group))
    folder.mkdir()
    gpu_bundle.pack(tmp_path / "cache", folder / gpu_bundle.KERNELS)
    (folder / gpu_bundle.CUBIN.name).write_bytes(b"halo")
    manifest = {"commit": "abc", "sources": gpu_bundle.sources(), "versions": gpu_bundle._versions()}
    (folder / gpu_bundle.MANIFEST).write_text(json.dumps(manifest))
    return folder


def test_the_versions_are_those_of_the_device_s_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    assert gpu_bundle._versions_of(sys.executable) == gpu_bundle._versions()


def change(bundle: Path, **values: object) -> None:
    path = bundle / gpu_bundle.MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_opening(bundle: Path) -> None:
    variables = gpu_bundle.open_bundle(bundle)
    assert variables["COMMIT"] == "abc"
    assert variables["ESRGAN_CACHE"] == str(bundle / "weights")
    assert gpu_bundle.CUBIN.read_bytes() == b"halo"
    cache = Path(variables["TRITON_CACHE_DIR"])
    paths = json.loads((cache / "key" / "__grp__kernel.json").read_text())["child_paths"]
    assert Path(paths["kernel.cubin"]).read_bytes() == b"code"


def test_other_versions_compile_again(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(bundle, versions={"python": "2.7", "triton": "0.1"})
    assert "TRITON_CACHE_DIR" not in gpu_bundle.open_bundle(bundle)
    assert gpu_bundle.CUBIN.exists()
    assert "0.1" in capsys.readouterr().err


def test_other_sources_leave_the_cubin_out(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(bundle, sources="of yesterday")
    assert "TRITON_CACHE_DIR" not in gpu_bundle.open_bundle(bundle)
    assert not gpu_bundle.CUBIN.exists()
    assert "changed" in capsys.readouterr().err


def test_variables_survive_the_shell(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = bundle.rename(bundle.parent / "with a space and 'quotes'")
    assert gpu_bundle.main(["open", str(bundle)]) == 0
    command = ["sh", "-c", f'{capsys.readouterr().out}\nprintf %s "$ESRGAN_CACHE"']
    assert subprocess.run(command, capture_output=True, text=True).stdout == f"{bundle}/weights"


def test_what_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "weights"
    monkeypatch.setattr(gpu_bundle, "_copy_weights", lambda folder: shutil.copytree(weights, folder))
    monkeypatch.setattr(gpu_bundle, "LARGEST", 10_000)
    weights.mkdir()
    (weights / "large").write_bytes(b"0" * 20_000)
    monkeypatch.setattr(gpu_bundle, "CUBIN", tmp_path / "none")
    python = tmp_path / "python"  # compiles nothing
    python.write_text('#!/bin/sh\ncase "$*" in *precompile*) ;; *) echo "{}" ;; esac\n')
    monkeypatch.setattr(gpu_bundle, "COMPILED", tmp_path / "compiled")
    python.chmod(0o755)
    with pytest.raises(BenchmarkError, match="10000 at most"):
        gpu_bundle.make_bundle(tmp_path / "made", str(python))
    assert (tmp_path / "made" / gpu_bundle.KERNELS).exists()


@pytest.mark.parametrize(
    ("asked", "reason"), [("*precompile", "did not compile"), ("*--check", "does not find the kernels")]
)
def test_kernels_that_would_be_compiled_on_the_device_are_no_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, reason: str
) -> None:
    monkeypatch.setattr(gpu_bundle, "_copy_weights", lambda folder: None)
    monkeypatch.setattr(gpu_bundle, "CUBIN", tmp_path / "none")
    monkeypatch.setattr(gpu_bundle, "COMPILED", tmp_path / "compiled")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ncase "$*" in {asked}) exit 1 ;; *precompile*) ;; *) echo "{{}}" ;; esac\n')
    python.chmod(0o755)
    with pytest.raises(BenchmarkError, match=reason):
        gpu_bundle.make_bundle(tmp_path / "made", str(python))


def test_compiled_kernels_are_kept_for_the_same_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_bundle, "COMPILED", tmp_path)
    today, other = ({"sources": name, "versions": {}} for name in ("today", "other"))
    (kept := gpu_bundle._compiled(today)).joinpath("kernel").write_text("")
    assert list(gpu_bundle._compiled(today).iterdir()) == [kept / "kernel"]
    assert list(gpu_bundle._compiled(other).iterdir()) == []
    assert not kept.exists()


def test_files_that_triton_was_writing_are_not_packed(tmp_path: Path) -> None:
    for name in ("kernel.cubin", "lock", "tmp.pid_7_abc/kernel.cubin"):
        (tmp_path / "cache" / "key" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "cache" / "key" / name).write_text("")
    gpu_bundle.pack(tmp_path / "cache", tmp_path / "kernels.tar.xz")
    with tarfile.open(tmp_path / "kernels.tar.xz") as archive:
        assert archive.getnames() == ["key/kernel.cubin"]
