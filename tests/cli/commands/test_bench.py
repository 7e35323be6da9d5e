"""`esrgan bench` as a user runs it, on a tiny network."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from esrgan_benchmarks.bench.harness import Outcome
from esrgan_cli.commands.bench import parse_case
from esrgan_cli.main import main
from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.compact import CompactNet
from esrgan_weights import save

PATIENCE = 120.0
# a shell starts background jobs with Ctrl-C ignored, and what they start inherits that
HEEDS_CTRL_C = """
import signal, sys
from esrgan_cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("network") / "tiny.safetensors"
    return str(save(CompactNet(features=8, convolutions=1), path))


@pytest.mark.parametrize(
    ("text", "shape"),
    [("a:b:64", (1, 64, 64, 3)), ("net:72x128", (1, 72, 128, 3)), ("net:4x64x32", (4, 64, 32, 3))],
)
def test_cases_are_read(text: str, shape: tuple[int, ...]) -> None:
    case = parse_case(text)
    assert case.shape == shape
    assert case.network == text.rpartition(":")[0]


@pytest.mark.parametrize(
    "text", ["net", "net:", ":64", "net:4x", "net:1x2x3x4", "net:-3", "net:0", "net:" + "9" * 5000]
)
def test_what_is_no_case_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_case(text)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--threads", "0"],
        ["--runs", "1"],
        ["--limit", "0"],
        ["--limit", "nan"],
        ["--limit", "inf"],
        ["--plots", "here"],
        ["--runtimes", "none"],
        ["--dataset", "nowhere"],
        ["--isa", "avx2", "--device", "cuda"],
        ["--isa", "avx2", "--dataset", "."],
    ],
)
def test_wrong_options_end_with_status_2(arguments: list[str], network: str) -> None:
    assert main(["bench", "--cases", f"{network}:16", *arguments]) == 2


def test_runtimes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["pytorch", "here"]
    assert any(line.startswith("openvino ") for line in lines)


def test_ctrl_c_keeps_the_rows_that_are_finished_and_leaves_no_process(network: str, tmp_path: Path) -> None:
    rows = tmp_path / "rows" / "runtimes.jsonl"
    # far more cases than there is time for
    cases = [f"{network}:{side}" for side in range(16, 64)]
    command = [sys.executable, "-c", HEEDS_CTRL_C, "bench", "--runtimes", "pytorch", "--runs", "2"]
    command.append("--keep-disturbed")  # other tests may run beside it
    told = tmp_path / "told.txt"
    with told.open("w") as stream:
        process = subprocess.Popen(
            [*command, "--results", str(rows.parent), "--cases", *cases],
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,
        )
    end = time.monotonic() + PATIENCE
    # told, not only kept: between the two a row may be stopped
    while time.monotonic() < end and "pytorch" not in told.read_text() and process.poll() is None:
        time.sleep(0.1)
    started = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    _, words = process.communicate(timeout=60)
    assert process.returncode == 130, words
    assert "esrgan: stopped" in words
    assert "Traceback" not in words
    kept = [json.loads(line) for line in rows.read_text().splitlines()]
    assert 1 <= len(kept) < len(cases)
    assert [row["shape"][1] for row in kept] == list(range(16, 16 + len(kept)))
    assert told.read_text().count("pytorch") == len(kept)
    _, alive = psutil.wait_procs(started, timeout=20)
    assert alive == []


def test_a_report_is_written_from_rows_and_two_recordings_are_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.support.rows import runtime_row

    rows = [runtime_row("pytorch", 1.0, 1.0), runtime_row("onnxruntime", 0.5, 0.5)]
    (tmp_path / "runtimes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    page = tmp_path / "page.html"
    assert main(["bench", "--results", str(tmp_path), "--report", str(page)]) == 0
    assert "0.5 s (0.50)" in page.read_text()
    assert capsys.readouterr().out.strip() == str(page)
    assert main(["bench", "--compare", str(tmp_path), str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == "2 rows compared, 0 changes beyond noise"
    assert main(["bench", "--compare", str(tmp_path), str(page)]) == 1


def test_what_to_do_on_a_busy_machine_is_said(
    network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from esrgan_benchmarks.bench import suite
    from esrgan_benchmarks.bench.harness import LeftOut

    reasons = ["disturbed: others used 2 cores", "too slow here"]
    monkeypatch.setattr(
        suite, "run_suite", lambda *given: Outcome([], [LeftOut("case", "all", reasons.pop(0))])
    )
    command = ["bench", "--cases", f"{network}:16", "--results", str(tmp_path / "rows")]
    assert main(command) == 1
    assert "add --keep-disturbed" in capsys.readouterr().err
    assert main(command) == 1
    assert "--keep-disturbed" not in capsys.readouterr().err


def test_a_ceiling_alone_is_no_measurement(
    network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from esrgan_benchmarks.bench import suite
    from tests.support.rows import ceiling_rows, quality_row, runtime_row

    beside = [*ceiling_rows(), quality_row("bicubic", 28, None)]
    command = ["bench", "--cases", f"{network}:16", "--results", str(tmp_path / "rows")]
    outcomes = [Outcome(beside), Outcome([*beside, runtime_row("pytorch", 1.0, 1.0)])]
    monkeypatch.setattr(suite, "run_suite", lambda *given: outcomes.pop(0))
    assert main(command) == 1
    assert "no runtime was measured" in capsys.readouterr().err
    assert main(command) == 0
    assert "no runtime was measured" not in capsys.readouterr().err


def test_the_dataset_is_measured_with_the_networks_of_the_cases(
    network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from esrgan_benchmarks.bench import suite
    from esrgan_benchmarks.bench.quality import networks

    plans: list[suite.Plan] = []

    def note(plan: suite.Plan, *given: object) -> Outcome:
        plans.append(plan)
        return Outcome()

    monkeypatch.setattr(suite, "run_suite", note)
    folders = ["--dataset", str(tmp_path), "--results", str(tmp_path / "rows")]
    assert main(["bench", "--cases", f"{network}:16", f"{network}:8", *folders]) == 1  # no rows
    monkeypatch.setattr("esrgan_cli.commands.bench.DEFAULT_CASES", (f"{network}:16",))
    main(["bench", *folders])
    assert [list(plan.rated) for plan in plans] == [[network], networks()]
