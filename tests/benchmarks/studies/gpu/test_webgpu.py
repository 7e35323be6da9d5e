"""benchmarks/webgpu.sh: what it does with a bundle, whatever its engines do."""

import json
import sys
import tarfile
from pathlib import Path

import pytest

from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_benchmarks.studies.gpu import webgpu

NODE = """#!{python}
import json, os, pathlib, signal, sys
job = json.loads(pathlib.Path(sys.argv[2]).read_text())
row = {{"case": "time", "engine": job["engine"], "driver": os.environ.get("VK_DRIVER_FILES"), **job}}
with open(job["rows"], "a") as file:
    file.write(json.dumps({{**row, "case": "seen"}}) + chr(10))
if job["engine"] == "onnxruntime-web":
    os.kill(os.getpid(), signal.SIGTERM)
sys.exit({{"TF.js": 1, "peak": {peak}}}.get(job["engine"], 0))
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder as `make_bundle` leaves it, whose Node notes what it was asked, and fails as TF.js."""
    return made(tmp_path)


def made(tmp_path: Path, peak: int = 0) -> Path:
    """Such a folder; as "peak" its Node ends with a status."""
    folder, content = tmp_path / "bundle", tmp_path / "content"
    folder.mkdir()
    content.mkdir()
    (content / "node").write_text(NODE.format(python=sys.executable, peak=peak), encoding="utf-8")
    (content / "node").chmod(0o755)
    with tarfile.open(folder / webgpu.ARCHIVE, "w:xz") as archive:
        archive.add(content, ".")
    (folder / webgpu.MANIFEST).write_text('{"commit": "abc"}', encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables are as they were afterwards, and no driver is there."""
    for name in ("VK_DRIVER_FILES", "VK_ICD_FILENAMES", "LD_LIBRARY_PATH"):
        monkeypatch.setenv(name, "")


def test_every_engine_has_its_turn_and_one_that_fails_costs_itself(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    driver = tmp_path / "driver.json"
    driver.write_text("{}")
    out = tmp_path / "new" / "out"
    arguments = ["run", str(bundle), "--out", str(out), "--dry", "--driver", str(driver)]
    assert webgpu.main(arguments) == 1
    rows = [json.loads(line) for line in (out / webgpu.ROWS).read_text().splitlines()]
    assert rows[0]["case"] == "machine"
    assert rows[0]["commit"] == "abc"
    seen = [row for row in rows if row["case"] == "seen"]
    assert [row["engine"] for row in seen] == list(webgpu.ENGINES)
    assert {row["driver"] for row in seen} == {str(driver)}
    assert seen[1]["sides"] == [8]
    assert seen[1]["rounds"] == 0
    limits = [seconds * webgpu.DRY.patience - webgpu.ENDING for seconds in webgpu.ENGINES.values()]
    assert [row["seconds"] for row in seen] == limits
    assert seen[1]["networks"] == list(webgpu.NETWORKS)
    (failure,) = (row for row in rows if row["case"] == "failure")
    assert failure == {"case": "failure", "engine": "TF.js", "error": "code 1"}
    assert "! TF.js : code 1" in capsys.readouterr().out


def test_without_an_adapter_no_engine_is_tried_in_vain(tmp_path: Path) -> None:
    assert not webgpu.run(made(tmp_path, peak=3), tmp_path / "out", webgpu.WHOLE)
    rows = [json.loads(line) for line in (tmp_path / "out" / webgpu.ROWS).read_text().splitlines()]
    assert [row.get("engine") for row in rows] == [None, "peak", "peak"]
    assert rows[1]["sides"] == [64, 128, 256, 512]
    assert rows[1]["rounds"] == 5


def test_all_together_stay_under_four_minutes() -> None:
    assert sum(webgpu.ENGINES.values()) <= 210  # unpacking takes some seconds


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="make webgpu-bundle"):
        webgpu.run(tmp_path, tmp_path, webgpu.DRY)


def test_the_summary_tells_times_ratios_shares_of_the_peak_and_failures() -> None:
    def time(engine: str, seconds: list[float], **more: object) -> webgpu.Row:
        return {"case": "time", "engine": engine, "network": "net", "side": 64, "seconds": seconds, **more}

    rows = [
        time("TF.js", [9.0]),  # of a run before
        {"case": "machine"},
        {"case": "peak", "type": "f16", "flops": 4e12},
        time(webgpu.OURS, [0.02, 0.01], trunk_seconds=[0.004, 0.005], trunk_macs=1e6),
        time("TF.js", [0.04, 0.03], difference=1e-5),
        {"case": "failure", "engine": "onnxruntime-web", "network": "net", "error": "no adapter"},
    ]
    lines = webgpu.summary(rows).splitlines()
    assert lines[0] == "peak of f16: 4.00 TFLOPS"
    assert lines[1].endswith("10.00 ms  trunk 2.048 TFLOPS, 51% of the peak")
    assert lines[2].endswith("30.00 ms  3.00 times ours  differs by 1.0e-05")
    assert lines[3] == "! onnxruntime-web net: no adapter"
    assert len(lines) == 4


def test_a_node_that_needs_libraries_is_not_carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "node").write_text("#!/bin/sh\n")
    (tmp_path / "node").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchmarkError, match="needs libraries beside it"):
        webgpu.make_bundle(tmp_path / "made")
