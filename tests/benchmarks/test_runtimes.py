"""The runtimes that are here, on a tiny network: right pictures, right names, and nothing heavy too early."""

import subprocess
import sys
from pathlib import Path

import pytest

from esrgan_benchmarks.bench.harness import measure_case
from esrgan_benchmarks.core.cases import Case
from esrgan_benchmarks.runtimes import NAMES, REFERENCE, RUNTIMES, choose_runtimes
from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.compact import CompactNet
from esrgan_weights import save
from tests.support.fakes import Alone

QUICK = (
    "pytorch-channels-last",
    "pytorch-bfloat16",
    "esrgan-torch",
    "esrgan-torch-eager",
    "onnxruntime",
    "openvino",
    "tfjs-node",
)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("network") / "tiny.safetensors"
    return str(save(CompactNet(features=8, convolutions=2), path))


def test_every_runtime_that_is_here_gives_the_reference_s_picture(network: str) -> None:
    outcome = measure_case(Case(network, 20, 14, 2), choose_runtimes(QUICK, "cpu"), 1, runs=2, watch=Alone())
    here = [runtime.name for runtime in RUNTIMES if runtime.name in QUICK and runtime.missing() is None]
    assert [row["runtime"] for row in outcome.rows] == [REFERENCE.name, *here]
    assert all(row["peak"] > 10_000_000 for row in outcome.rows)
    assert all(row["psnr"] is None or row["psnr"] > 40 for row in outcome.rows)
    assert {row["dtype"] for row in outcome.rows} == {"float32", "bfloat16"}
    ours = {row["runtime"]: row for row in outcome.rows if row["runtime"].startswith("esrgan-torch")}
    assert ours["esrgan-torch-eager"]["engine"] == "eager"
    assert ours["esrgan-torch"]["engine"] in ("native", "openvino", "eager")
    assert "; by " in ours["esrgan-torch"]["versions"]["choice"]


def test_the_reference_always_runs_and_comes_first() -> None:
    assert choose_runtimes(["openvino"], "cpu")[0] is REFERENCE
    assert choose_runtimes(None, "cpu")[0] is REFERENCE
    assert all("cuda" in runtime.devices for runtime in choose_runtimes(None, "cuda"))


def test_an_unknown_runtime_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="'openvina'"):
        choose_runtimes(["openvina"], "cpu")
    assert len(set(NAMES)) == len(NAMES)


def test_runtimes_import_nothing_heavy_before_they_are_opened() -> None:
    # else its memory would be counted as the runtime's
    heavy = ("torch", "tensorflow", "onnxruntime", "openvino", "onnx", "spandrel", "cv2")
    code = (
        "import sys, esrgan_benchmarks.runtimes as r, esrgan_benchmarks.bench.child\n"
        "[runtime.missing() for runtime in r.RUNTIMES if runtime.name != 'tensorflow-onnx-tf']\n"
        f"sys.exit(' '.join(name for name in {heavy!r} if name in sys.modules) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode == 0, done.stderr
