"""Runtimes held to AVX2: who cannot be is left out, who can computes by no other instructions."""

import os

import pytest
import torch

from esrgan_benchmarks.bench.harness import measure_case
from esrgan_benchmarks.core.cases import Case
from esrgan_benchmarks.runtimes import REFERENCE, choose_runtimes
from esrgan_benchmarks.runtimes.base import Session, Setting
from esrgan_torch.engines.strict import STRICT
from esrgan_torch.networks.compact import CompactNet
from esrgan_weights import save
from tests.support.fakes import Alone, Fake, FakeSession

AVX2 = "avx2"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("network") / "tiny.safetensors"
    return str(save(CompactNet(features=8, convolutions=1), path))


class Telling(Fake):
    """Tells by its name for the engine what it was told: by default what it may use of a processor."""

    isas = (AVX2,)

    def __init__(self, name: str, *variables: str) -> None:
        super().__init__(name)
        self.variables = variables or ("ONEDNN_MAX_CPU_ISA",)

    def open(self, setting: Setting) -> Session:
        session = FakeSession(self)
        session.engine = ", ".join(os.environ.get(name, "anything") for name in self.variables)
        return session


def test_what_the_user_asks_of_onednn_rounds_no_runtime(
    network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in STRICT:
        monkeypatch.setenv(name, "BF16")
    outcome = measure_case(Case(network, 8, 8), (Telling("told", *STRICT),), 1, runs=2, watch=Alone())
    assert [row["engine"] for row in outcome.rows] == ["STRICT, STRICT"]


def test_the_variables_are_set_where_the_runtime_starts_and_rows_say_so(network: str) -> None:
    runtimes = (Telling("told"), Fake("deaf"))
    held = measure_case(Case(network, 8, 8), runtimes, 1, isa=AVX2, runs=2, watch=Alone())
    (row,) = held.rows
    assert (row["runtime"], row["isa"], row["engine"]) == ("told", AVX2, "AVX2")
    assert [(item.runtime, item.reason) for item in held.left_out] == [("deaf", "it cannot be held to AVX2")]
    free = measure_case(Case(network, 8, 8), runtimes, 1, runs=2, watch=Alone())
    assert [(row["runtime"], row["isa"], row["engine"]) for row in free.rows] == [
        ("told", None, "anything"),
        ("deaf", None, None),
    ]


@pytest.mark.skipif(
    not any("avx512" in name for name in torch.cpu.get_capabilities()), reason="needs more than AVX2"
)
def test_the_native_engine_and_openvino_compute_by_avx2(network: str) -> None:
    names = ["esrgan-torch-native", "openvino", "onnxruntime"]
    runtimes = choose_runtimes(names, "cpu")
    outcome = measure_case(Case(network, 8, 8), runtimes, 1, isa=AVX2, runs=2, watch=Alone())
    reasons = {item.runtime: item.reason for item in outcome.left_out}
    assert reasons.pop("onnxruntime") == "it cannot be held to AVX2"
    for name, reason in reasons.items():  # a compiler, or OpenVINO, may be missing; else they were held
        assert "held" not in reason, (name, reason)
    assert {row["isa"] for row in outcome.rows} == {AVX2}
    assert REFERENCE.name in {row["runtime"] for row in outcome.rows}
    native = [row["engine"] for row in outcome.rows if row["runtime"] == "esrgan-torch-native"]
    assert native == ["native"] or "esrgan-torch-native" in reasons
