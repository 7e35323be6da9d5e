"""benchmarks/gpu.sh --dry: the code that a GPU will run goes through, with tiny sizes on the CPU."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")

from esrgan_benchmarks.core import record
from esrgan_benchmarks.studies.gpu import main as gpu
from esrgan_benchmarks.studies.gpu import run as gpu_run
from esrgan_benchmarks.studies.gpu.evidence import DTYPES, KERNELS
from esrgan_benchmarks.studies.gpu.main import Group
from esrgan_benchmarks.studies.gpu.report import Report
from esrgan_benchmarks.studies.gpu.summary import LIMIT, summary

ROOT = Path(__file__).parents[4]


def test_a_dry_run(tmp_path: Path) -> None:
    environment = {**os.environ, "OUT": str(tmp_path), "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
    command = [ROOT / "benchmarks" / "gpu.sh", "--dry", "--commit", "abc"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=2000, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = record.read_file(tmp_path / "gpu.jsonl")
    assert {row["case"] for row in rows} == {
        "device", "ceiling", "check", "network check", "network", "launches", "video", "layer", "cudnn",
        "sweep", "best", "ran", "left out",
    }  # fmt: skip
    assert {row["section"] for row in rows if row["case"] == "left out"} == {
        "halo-checks", "halo-network", "halo-times", "halo-tiny",
    }  # fmt: skip
    assert {row["name"] for row in rows if row["case"] == "network"} == {
        "eager channels_last", "eager NCHW", "eager engine", "kernels", "kernels, tail in tiles",
        "compiled by RRDB, channels_last", "compiled whole, channels_last",
    }  # fmt: skip
    checked = {row["kernel"]: row["right"] for row in rows if row["case"] == "check"}
    assert checked == dict.fromkeys(KERNELS, True)
    assert all(row["right"] for row in rows if row["case"] in ("network check", "sweep"))
    assert {row["dtype"] for row in rows if row["case"] == "check"} <= DTYPES
    assert all(row["capture_ms"] > 0 for row in rows if row["case"] == "launches")
    assert {row["commit"] for row in rows} == {"abc"}
    assert len({row["run"] for row in rows}) == 1
    assert done.stdout.endswith(summary(tmp_path / "gpu.jsonl") + "\n"), "the summary comes last"


IMPORTED = """
import sys
import esrgan_benchmarks.studies.gpu.run, esrgan_benchmarks.studies.gpu.precompile
from esrgan_weights import load
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_a_bare_checkout_has_all_that_the_script_imports() -> None:
    """Here the project is installed, there it is not: what is imported has to be on the script's own path."""
    script = (ROOT / "benchmarks" / "gpu.sh").read_text(encoding="utf-8")
    (path,) = re.findall(r'export PYTHONPATH="([^$"]*)\$', script)
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    own = [name for name in done.stdout.split() if name.startswith("esrgan_")]
    assert "esrgan_torch" in own
    assert [name for name in own if not any((ROOT / part / name).is_dir() for part in path.split(":"))] == []


def test_groups_name_the_sections(tmp_path: Path) -> None:
    report = Report(tmp_path / "rows", 1, gpu_run.torch.device("cpu"), {})
    known = gpu_run.sections(report, dry=True)
    named = [name for group in (*gpu.FIRST, *gpu.SECOND) for name in group.sections]
    assert set(named) == set(known)
    # a call of ten minutes, and what is left of fifteen after the machine has started
    assert sum(group.seconds for group in gpu.FIRST) <= 560
    assert sum(group.seconds for group in gpu.SECOND) <= 170
    assert [group.name for group in gpu.SECOND if group.command] == [" ".join(gpu.TESTS)]


def run(
    groups: list[Group], child: Path, code: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[bool, list[str]]:
    """Whether groups ended well, and the states of those that did not, with `code` as their process."""
    (child / "stand_in.py").write_text(code, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(child))
    monkeypatch.setattr(gpu, "CHILD", "stand_in")
    rows = child / "rows.jsonl"
    right = gpu.run_groups(groups, ["--rows", str(rows)], child)
    states = [json.loads(line)["state"] for line in rows.read_text().splitlines()] if rows.exists() else []
    return right, states


def test_a_crash_costs_one_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os, sys; os.abort() if 'bad' in sys.argv[1] else print('measured')"
    groups = [
        Group(20, ("bad",)),
        Group(20, ("good",)),
        Group(20, ("good",), ("no-such-profiler",)),
        Group(20, command=("-c", "raise SystemExit(3)")),
    ]
    states = ["code -6", "no-such-profiler is not here", "code 3"]
    assert run(groups, tmp_path, code, monkeypatch) == (False, states)


def test_a_kernel_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it started: a compiler, or the watched process of a profiler."""
    code = (
        "import subprocess, sys, time\n"
        "if sys.argv[1] == 'stuck':\n"
        "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"    open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "    time.sleep(600)\n"
    )
    assert run([Group(1.5, ("stuck",)), Group(20, ("good",))], tmp_path, code, monkeypatch) == (
        False,
        ["hung"],
    )
    pid = int((tmp_path / "pid").read_text())
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_time_that_is_left_goes_to_later_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = f"import sys; open({str(tmp_path / 'budgets')!r}, 'a').write(sys.argv[3] + ' ')"
    groups = [Group(100, ("quick",)), Group(50, ("long",))]
    assert run(groups, tmp_path, code, monkeypatch) == (True, [])
    first, second = map(float, (tmp_path / "budgets").read_text().split())
    assert 90 < first < 100 < second < 150


def test_the_summary_fits_and_says_first_what_is_wrong(tmp_path: Path) -> None:
    rows = [{"case": "layer", "step": "a layer of a long name", "ms": 1.23456}] * 500
    wrong = {
        "case": "halo check",
        "name": "2.3",
        "kind": "pair2",
        "right": False,
        "error": 0.5,
        "rows": [0, 66],
    }
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in [*rows, wrong]), encoding="utf-8")
    text = summary(path)
    assert text.startswith("WRONG halo check | 2.3 | pair2 | error 0.5 | rows [0, 66]\nlayer | a layer")
    assert text.endswith("... and more, in the file of rows")
    assert LIMIT - 200 < len(text) <= LIMIT + 100
    assert summary(tmp_path / "none") == ""
