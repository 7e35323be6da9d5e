"""Engines: what they compute is what the network computes, in every band and precision."""

import os
import subprocess
import sys

import pytest
import torch

import esrgan_torch.engines.rrdb as engines
from esrgan_torch.engines import kinds
from esrgan_torch.engines import openvino as engine_openvino
from esrgan_torch.engines import packed as engine_packed
from esrgan_torch.engines.choose import make_engine
from esrgan_torch.engines.compact import CompactEngine
from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator
from tests.support.processor import needs_bfloat16
from tests.torch.engines.native.levels import needs_native
from tests.torch.networks import small_compact, small_rrdb

CPU = torch.device("cpu")


def nothing(_: float) -> None:
    """No progress wanted."""


@pytest.fixture(params=["openvino", "packed", "plain"])  # the native one's tests: tests/torch/engines/native
def float32_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All engines that can run an RRDBNet in float32 on the CPU."""
    monkeypatch.setattr(kinds, "is_faster", lambda dtype: False)
    if request.param == "plain":
        monkeypatch.setattr(engine_packed, "is_available", lambda dtype: False)
    elif not engine_packed.is_available():
        pytest.skip("needs oneDNN on x86")
    monkeypatch.setattr(engine_openvino, "is_installed", lambda: request.param == "openvino")
    monkeypatch.setattr(engine_openvino, "slower_for_rrdb", lambda _: None)


def run(model: Generator, batch: torch.Tensor, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    engine = make_engine(model, CPU, dtype)
    with torch.inference_mode():
        return engine.tail(engine.trunk(batch, nothing))


@pytest.mark.usefixtures("float32_engine")
@pytest.mark.parametrize(
    "sizes", [{}, {"scale": 2, "unshuffle": 2}, {"scale": 1, "unshuffle": 4}, {"scale": 8}]
)
@pytest.mark.parametrize("size", [(4, 4), (40, 8), (12, 52)])
@pytest.mark.parametrize("band_bytes", [1, 2**30])
def test_rrdb_engine_equals_the_network(
    sizes: dict[str, int], size: tuple[int, int], band_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BAND_BYTES", band_bytes)
    model = small_rrdb(**sizes)
    batch = torch.rand(1, 3, *size)
    exact = model.double()(batch.double())
    model.float()
    with torch.inference_mode():
        eager = model(batch)
    distance = (run(model, batch).double() - exact).abs().max()
    assert distance <= 2 * (eager.double() - exact).abs().max() + 1e-6


@pytest.mark.usefixtures("float32_engine")
def test_bands_do_not_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_rrdb(blocks=3)
    batch = torch.rand(1, 3, 61, 19)
    whole = run(model, batch)
    monkeypatch.setattr(engines, "BAND_BYTES", 1)
    torch.testing.assert_close(run(model, batch), whole, rtol=0, atol=1e-6)


@pytest.mark.usefixtures("float32_engine")
@pytest.mark.parametrize("height", [196, 241])  # the last of the bands of 16 rows has 4 rows, and 1
def test_a_last_band_that_is_shorter_than_what_a_block_sees(
    height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small_rrdb(blocks=2)
    batch = torch.rand(1, 3, height, 5)
    monkeypatch.setattr(engines, "BAND_BYTES", 1)
    monkeypatch.setattr(engine_openvino, "LARGEST", 1)
    with torch.inference_mode():
        torch.testing.assert_close(run(model, batch), model(batch), rtol=0, atol=1e-5)


def test_the_given_network_is_not_changed() -> None:
    model = small_rrdb()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    engine = make_engine(model, CPU, torch.bfloat16)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert engine.dtype == torch.bfloat16
    assert next(model.parameters()).dtype == torch.float32


def test_a_float32_stream_is_nearer_to_the_truth_than_a_cast_network() -> None:
    model = small_rrdb(blocks=12, features=16, growth=8)
    # from weights that bfloat16 holds exactly, so that only the arithmetic differs
    model.load_state_dict({name: value.bfloat16().float() for name, value in model.state_dict().items()})
    batch = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(1)).bfloat16()
    with torch.inference_mode():
        ours = make_engine(model, CPU, torch.bfloat16).trunk(batch.float(), nothing).double()
        cast = model.bfloat16().trunk(batch).double()
        exact = model.double().trunk(batch.double())
    assert (ours - exact).square().mean() < 0.25 * (cast - exact).square().mean()


def test_compact_in_bfloat16_stays_near() -> None:
    model = small_compact()
    batch = torch.rand(1, 3, 24, 24)
    with torch.inference_mode():
        exact = model(batch)
    assert (run(model, batch, torch.bfloat16) - exact).abs().max() < 0.02


@pytest.mark.usefixtures("float32_engine")
def test_compact_engine_equals_the_network() -> None:
    for scale in (1, 2, 3, 4):
        model = small_compact(scale=scale)
        batch = torch.rand(1, 3, 9, 14)
        with torch.inference_mode():
            torch.testing.assert_close(run(model, batch), model(batch), rtol=0, atol=1e-6)


@pytest.mark.usefixtures("float32_engine")
@pytest.mark.parametrize("model", [small_rrdb(), small_compact()], ids=["rrdb", "compact"])
def test_progress_goes_up_to_one(model: Generator) -> None:
    told: list[float] = []
    with torch.inference_mode():
        make_engine(model, CPU, torch.float32).trunk(torch.rand(1, 3, 5, 5), told.append)
    assert told == sorted(told)
    assert told[-1] == 1


def test_shrinking_takes_less_and_ends() -> None:
    engine = make_engine(small_rrdb(), CPU, torch.float32, "eager")
    first = engine.trunk_bytes(100_000, 100)
    assert engine.shrink()
    assert engine.trunk_bytes(100_000, 100) < first
    for _ in range(20):
        engine.shrink()
    assert not engine.shrink()
    assert not CompactEngine(small_compact(), CPU, torch.float32).shrink()


MEASURE = """
import sys
import torch
from esrgan_benchmarks.core.measure import peak_memory
from esrgan_torch.engines import openvino as engine_openvino
from esrgan_torch.engines import packed as engine_packed
from esrgan_torch.engines import kinds
from esrgan_torch.engines.choose import make_engine
from esrgan_torch.networks.rrdb import RRDBNet
kinds.is_faster = lambda dtype: sys.argv[1] == "native"
if sys.argv[1] == "plain":
    engine_packed.is_available = lambda dtype: False
engine_openvino.is_installed = lambda: sys.argv[1] == "openvino"
engine_openvino.slower_for_rrdb = lambda _: None
height, width, dtype = int(sys.argv[2]), int(sys.argv[3]), getattr(torch, sys.argv[4])
engine = make_engine(RRDBNet(blocks=1), torch.device("cpu"), dtype)
with torch.inference_mode():
    engine.trunk(torch.rand(1, 3, 32, 32), lambda done: None)
    batch = torch.rand(1, 3, height, width)
    before = peak_memory()
    engine.trunk(batch, lambda done: None)
print(peak_memory() - before, engine.trunk_bytes(height, width))
"""


@pytest.mark.parametrize(
    ("engine", "height", "width", "dtype"),
    [
        pytest.param("native", 640, 512, "float32", marks=needs_native),
        ("openvino", 256, 256, "float32"),
        ("packed", 640, 512, "float32"),
        pytest.param("packed", 640, 512, "bfloat16", marks=needs_bfloat16),
        ("plain", 640, 512, "float32"),
    ],
)
def test_the_estimate_covers_what_the_trunk_takes(engine: str, height: int, width: int, dtype: str) -> None:
    """In a process of its own, whose peak nothing else has moved, without what the C library's heap keeps."""
    given_back_at_once = os.environ | {"MALLOC_MMAP_THRESHOLD_": str(2**20)}
    result = subprocess.run(
        [sys.executable, "-c", MEASURE, engine, str(height), str(width), dtype],
        capture_output=True,
        text=True,
        check=True,
        env=given_back_at_once,
    )
    taken, estimated = map(int, result.stdout.split())
    planes = 2 * 64 * 4 * height * width
    assert planes < taken <= estimated - (engines.HEAP_BYTES if engine in ("packed", "plain") else 0)


def test_other_networks_are_refused() -> None:
    class Other(Generator):
        def trunk(self, batch: torch.Tensor) -> torch.Tensor:
            return batch

        def tail(self, features: torch.Tensor) -> torch.Tensor:
            return features

    with pytest.raises(ConfigError, match="Other"):
        make_engine(Other(), CPU, torch.float32)
