"""benchmarks/gpu.sh --dry: the code that a GPU will run goes through, with tiny sizes on the CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")

ROOT = Path(__file__).parents[2]


def test_a_dry_run(tmp_path: Path) -> None:
    environment = {**os.environ, "OUT": str(tmp_path), "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
    environment["PATH"] = "/usr/bin:/bin"  # no nvcc: the halo kernel has tests of its own
    command = [ROOT / "benchmarks" / "gpu.sh", "--dry", "--budget", "2000"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=2000, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(line) for line in (tmp_path / "gpu.jsonl").read_text(encoding="utf-8").splitlines()]
    cases = {row["case"] for row in rows}
    assert cases == {
        "device", "ceiling", "check", "network check", "network", "held", "layer", "cudnn", "sweep", "best",
    }  # fmt: skip
    names = {row["name"] for row in rows if row["case"] == "network"}
    assert {"eager NCHW", "eager channels_last", "kernels", "compiled channels_last"} <= names
    checked = {row["kernel"]: row["right"] for row in rows if row["case"] == "check"}
    assert checked == dict.fromkeys(("clear_border", "conv_rows", "conv_taps", "upsample"), True)
