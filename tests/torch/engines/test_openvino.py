"""Trunks by OpenVINO: shapes that come and go, several threads, signals, and where they are used."""

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch

from esrgan_torch.engines import kinds
from esrgan_torch.engines import openvino as engine_openvino
from esrgan_torch.engines import packed as engine_packed
from esrgan_torch.engines.choose import EngineName, make_engine
from esrgan_torch.engines.compact import CompactEngine
from esrgan_torch.engines.openvino import OpenVinoCompactEngine, OpenVinoRRDBEngine
from esrgan_torch.engines.packed import PackedEngine
from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator
from tests.support.processor import needs_bfloat16
from tests.torch.networks import small_compact, small_rrdb

pytest.importorskip("openvino")
pytestmark = pytest.mark.skipif(not engine_packed.is_available(), reason="used on x86 only")
CPU = torch.device("cpu")
SIZES = [(4, 6), (5, 5), (9, 3), (6, 4), (7, 7), (4, 6)]


@pytest.fixture(autouse=True)
def without_the_native_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without a C compiler: where the native engine runs, it comes first."""
    monkeypatch.setattr(kinds, "is_faster", lambda dtype: False)


def nothing(_: float) -> None:
    """No progress wanted."""


@pytest.mark.parametrize("model", [small_compact(), small_rrdb()], ids=["compact", "rrdb"])
def test_every_size_is_computed_by_what_was_compiled_once(model: Generator) -> None:
    engine = make_engine(model, CPU, torch.float32, "openvino")
    assert isinstance(engine, OpenVinoCompactEngine | OpenVinoRRDBEngine)
    request = None
    with torch.inference_mode():
        batches = [torch.rand(1, 3, *size) for size in SIZES]
        results = [engine.trunk(batch, nothing) for batch in batches]
        for batch, result in zip(batches, results, strict=True):
            torch.testing.assert_close(result, model.trunk(batch), rtol=0, atol=1e-5)
            assert torch.equal(engine.trunk(batch, nothing), result), "whatever was computed before"
            assert request_of(engine) is (request or request_of(engine))
            request = request_of(engine)


def request_of(engine: OpenVinoCompactEngine | OpenVinoRRDBEngine) -> Any:
    (request,) = engine._run._requests.values()
    return request


def test_the_program_s_number_of_threads_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = OpenVinoCompactEngine(small_compact(), CPU, torch.float32)
    for threads in (1, 2, 1):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        engine.trunk(torch.rand(1, 3, 8, 8), nothing)
        compiled = engine._run._requests[threads].get_compiled_model()
        assert compiled.get_property("INFERENCE_NUM_THREADS") == threads
    assert len(engine._run._requests) == 2


def test_threads_do_not_mix_their_pictures() -> None:
    model = small_compact()
    engine = make_engine(model, CPU, torch.float32)
    batches = [torch.rand(1, 3, 8, 8) for _ in range(4)]
    wrong: list[int] = []

    def work(number: int) -> None:
        with torch.inference_mode():
            expected = model.trunk(batches[number])
            results = [engine.trunk(batches[number], nothing) for _ in range(20)]
        wrong.extend(number for result in results if (result - expected).abs().max() > 1e-6)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_who_stops_waiting_stops_the_computation(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_compact(features=32, convolutions=40)
    engine = OpenVinoCompactEngine(model, CPU, torch.float32)
    batch = torch.rand(1, 3, 300, 300)
    engine.trunk(batch, nothing)
    with monkeypatch.context() as changed:
        changed.setattr(engine_openvino, "GLANCE", "raises, as Ctrl-C does")
        with pytest.raises(TypeError):
            engine.trunk(batch, nothing)
    with pytest.raises(RuntimeError, match="cancel"):
        request_of(engine).wait()  # so it was not computed to its end
    with torch.inference_mode():
        torch.testing.assert_close(engine.trunk(batch, nothing), model.trunk(batch), rtol=0, atol=1e-5)


class Request:
    """A request that computes, and calls of which Ctrl-C interrupts when they have done their work."""

    def __init__(self, real: Any, interrupted: tuple[str, ...]) -> None:
        self.real, self.interrupted = real, interrupted

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            result = getattr(self.real, name)(*arguments)
            if name in self.interrupted:
                raise KeyboardInterrupt
            return result

        return call


@pytest.mark.parametrize("interrupted", [("start_async",), ("wait_for",), ("start_async", "cancel")])
def test_ctrl_c_at_any_time_leaves_nothing_that_computes(
    interrupted: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_openvino, "GLANCE", 1)
    engine = OpenVinoCompactEngine(small_compact(features=32, convolutions=40), CPU, torch.float32)
    result = engine._run(torch.rand(1, 3, 300, 300), nothing).numpy()
    request = request_of(engine)
    result.fill(-7)
    request.set_output_tensor(import_module("openvino").Tensor(result, shared_memory=True))
    with pytest.raises(KeyboardInterrupt):
        engine_openvino._wait_for(Request(request, interrupted), nothing)
    left = result.copy()
    time.sleep(0.5)
    np.testing.assert_array_equal(result, left)
    with pytest.raises(RuntimeError, match="cancel"):
        request.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the stack of signals")
def test_the_stack_of_signals_is_not_exchanged_by_every_engine() -> None:
    assert len({stack_of_signals() for _ in range(3) if used_once()}) == 1


def used_once() -> OpenVinoCompactEngine:
    engine = OpenVinoCompactEngine(small_compact(), CPU, torch.float32)
    engine.trunk(torch.rand(1, 3, 8, 8), nothing)
    return engine


def stack_of_signals() -> int | None:
    class Stack(ctypes.Structure):
        _fields_ = (("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))

    stack = Stack()
    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack)) == 0
    return stack.address


def test_weights_changed_later_do_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_openvino, "slower_for_rrdb", lambda _: None)
    for model in (small_rrdb(), small_compact()):
        engine = make_engine(model, CPU, torch.float32)
        batch = torch.rand(1, 3, 6, 8)
        with torch.inference_mode():
            expected = model.trunk(batch)
            for parameter in model.parameters():
                parameter.zero_()
            torch.testing.assert_close(engine.trunk(batch, nothing), expected, rtol=0, atol=1e-5)


def test_large_pictures_run_in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_openvino, "slower_for_rrdb", lambda _: None)
    monkeypatch.setattr(engine_openvino, "LARGEST", 40)
    model = small_rrdb(scale=2, unshuffle=2)
    engine = make_engine(model, CPU, torch.float32)
    assert isinstance(engine, OpenVinoRRDBEngine)
    with torch.inference_mode():
        for size, compiled in (((16, 12), 0), ((16, 10), 1)):
            batch = torch.rand(1, 3, *size)
            features = engine.trunk(batch, nothing)
            torch.testing.assert_close(features, model.trunk(batch), rtol=0, atol=1e-5)
            assert len(engine._run._requests) == compiled
    packed = PackedEngine(model, CPU, torch.float32)
    assert engine.trunk_bytes(16, 12) == packed.trunk_bytes(16, 12)


@needs_bfloat16
def test_bfloat16_is_as_near_as_pytorch_s() -> None:
    model = small_compact(features=48, convolutions=8)
    batch = torch.rand(1, 3, 40, 24)
    with torch.inference_mode():
        exact = model.double()(batch.double())
        model.float()
        errors = []
        for engine in (OpenVinoCompactEngine, CompactEngine):
            made = engine(model, CPU, torch.bfloat16)
            values = made.tail(made.trunk(batch, nothing))
            assert values.dtype == torch.float32
            errors.append((values - exact).square().mean().sqrt().item())
    assert 0 < errors[0] < 1.2 * errors[1]


@needs_bfloat16
def test_in_bfloat16_it_computes_small_networks_only() -> None:
    kinds = [type(make_engine(model, CPU, torch.bfloat16)) for model in (small_compact(), small_rrdb())]
    assert kinds == [OpenVinoCompactEngine, PackedEngine]


def test_where_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def kinds(engine: EngineName = "auto") -> list[type]:
        return [
            type(make_engine(model, CPU, torch.float32, engine)) for model in (small_compact(), small_rrdb())
        ]

    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert kinds() == [OpenVinoCompactEngine, OpenVinoRRDBEngine]
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512_VNNI")
    assert kinds() == [OpenVinoCompactEngine, PackedEngine]
    assert kinds("eager") == [CompactEngine, PackedEngine]
    assert kinds("openvino") == [OpenVinoCompactEngine, OpenVinoRRDBEngine]
    monkeypatch.setattr(engine_openvino, "MODULE", "a_package_that_nobody_has")
    assert kinds() == [CompactEngine, PackedEngine]
    with pytest.raises(ConfigError, match="not installed"):
        kinds("openvino")


def test_one_that_does_not_start_is_told_and_done_without(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> None:
        raise ImportError("libtbb.so.12 is missing")

    monkeypatch.setattr(engine_openvino, "import_openvino", fails)
    assert type(make_engine(small_compact(), CPU, torch.float32)) is CompactEngine
    assert "does not start (libtbb.so.12 is missing): PyTorch computes instead" in caplog.text
