"""Networks by the native engine: against float64, threads, Ctrl-C, forks, memory, and where it is used."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from esrgan_torch import CompactNet, RRDBNet
from esrgan_torch.engines import choose
from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.choose import make_engine
from esrgan_torch.engines.devices import is_out_of_memory
from esrgan_torch.engines.native import build, engine
from esrgan_torch.engines.native.engine import NativeCompactEngine, NativeRRDBEngine, NativeSPANEngine
from esrgan_torch.engines.native.library import Runner, work_memory
from esrgan_torch.engines.native.program_rrdb import rrdb_trunk_program
from esrgan_torch.engines.native.winograd import padded
from esrgan_torch.errors import ConfigError, EngineError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.span import SPAN
from esrgan_torch.tiling.rounding import put_planes
from tests.torch.engines.native.levels import levels, library, needs_native
from tests.torch.networks import small_compact, small_rrdb

pytestmark = needs_native
CPU = torch.device("cpu")


def nothing(_: float) -> None:
    """No progress wanted."""


def native(model: Generator, level: str | None = None) -> Engine:
    if isinstance(model, CompactNet):
        return NativeCompactEngine(model, CPU, torch.float32, level)
    if isinstance(model, SPAN):
        return NativeSPANEngine(model, CPU, torch.float32, level)
    assert isinstance(model, RRDBNet)
    return NativeRRDBEngine(model, CPU, torch.float32, level)


def picture(made: Engine, batch: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return made.tail(made.trunk(batch, nothing))


@pytest.fixture(params=[1, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def networks() -> list[Generator]:
    """The same weights in every run: how near rounding comes to the limit depends on them."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return [
            small_rrdb(),
            small_rrdb(scale=2, unshuffle=2, features=24, growth=5),
            small_rrdb(scale=1, unshuffle=4, out_channels=1),
            small_rrdb(scale=1, blocks=1),
            small_rrdb(scale=8, in_channels=1, blocks=1),
            small_rrdb(features=64, growth=32, blocks=1),
            small_compact(),
            small_compact(features=20, scale=3, in_channels=1, out_channels=1),
            small_compact(features=64, scale=2, convolutions=1),
            SPAN(features=8, scale=2),
            SPAN(features=20, scale=3, in_channels=1, out_channels=1, normalised=False),
            SPAN(features=48),
        ]


NETWORKS = networks()


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (3, 190), (40, 171)])
@pytest.mark.parametrize(
    "model",
    [small_compact(scale=scale, in_channels=c, out_channels=c) for scale, c in ((4, 3), (3, 3), (2, 1))],
)
def test_pixels_are_those_of_the_rounded_tail(
    model: CompactNet, size: tuple[int, int], dtype: type[np.uint8 | np.uint16]
) -> None:
    """Into a part of a picture, whose rest stays as it is."""
    made = native(model)
    features = torch.rand(1, padded(model.out_channels * model.scale**2), *size) * 1.4 - 0.2
    features = features.contiguous(memory_format=torch.channels_last)[
        :, : model.out_channels * model.scale**2
    ]
    expected, found = (
        np.full((size[0] * model.scale + 2, size[1] * model.scale + 2, model.out_channels), 7, dtype)
        for _ in range(2)
    )
    assert put_planes(made.tail(features)[0].numpy(), expected[1:-1, 1:-1])
    assert made.tail_pixels(features, found[1:-1, 1:-1])
    assert np.array_equal(found, expected)
    features[0, -1, -1, -1] = torch.nan
    assert made.tail_pixels(features, found[1:-1, 1:-1]) is False


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("level", levels())
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (26, 33)])
@pytest.mark.parametrize("model", NETWORKS)
def test_networks_are_near_float64(model: Generator, size: tuple[int, int], level: str) -> None:
    generator = torch.Generator().manual_seed(0)
    sides = [side * model.unshuffle for side in size]
    batch = torch.rand(1, model.in_channels, *sides, generator=generator)
    ours = picture(native(model, level), batch)
    eager = model(batch)
    exact = model.double()(batch.double())
    model.float()
    assert ours.shape == exact.shape
    assert ours.dtype == torch.float32
    assert (ours - exact).abs().max() <= 20 * (eager - exact).abs().max() + 1e-6


def test_bands_and_threads_give_the_same_bits() -> None:
    """Also where the picture is much higher than the bands that exist at a time."""
    model = small_rrdb(blocks=3)
    number, lanes = library().levels()[levels()[0]]
    program = rrdb_trunk_program(model, lanes)
    batch = torch.rand(1, 3, 210, 9)
    results: list[torch.Tensor] = []
    for threads, tiles in ((1, 0), (2, 1), (3, 2), (4, 7)):
        result = torch.full((210, 9, 16), torch.nan)
        Runner(library(), program, number, threads, tiles).run(210, 9, {0: batch, 1: result}, nothing)
        results.append(result)
    assert not results[0].isnan().any()
    assert all(torch.equal(results[0], result) for result in results)


def test_eight_python_threads_at_once() -> None:
    models = [small_rrdb(), small_compact()]
    engines = [native(model) for model in models]
    batches = [torch.rand(1, 3, 20 + number, 12) for number in range(8)]
    expected = [[picture(made, batch) for made in engines] for batch in batches]
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(5):
            for made, right in zip(engines, expected[number], strict=True):
                if not torch.equal(picture(made, batches[number]), right):
                    wrong.append(number)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


def test_progress_rises_to_one() -> None:
    told: list[float] = []
    with torch.inference_mode():
        native(small_rrdb(features=64, growth=32)).trunk(torch.rand(1, 3, 150, 150), told.append)
    assert told[-1] == 1
    assert told == sorted(told)


def test_who_stops_waiting_stops_the_computation() -> None:
    made = native(small_rrdb(features=64, growth=32, blocks=8))
    batch = torch.rand(1, 3, 200, 200)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    start = time.thread_time()
    with pytest.raises(KeyboardInterrupt):
        made.trunk(batch, interrupt)
    assert time.thread_time() - start < 1  # it slept
    small = torch.rand(1, 3, 8, 8)
    model = small_rrdb()
    torch.testing.assert_close(picture(native(model), small), model(small), rtol=0, atol=1e-5)
    with torch.inference_mode():
        assert made.trunk(small, nothing).isfinite().all()  # it goes on after it


INTERRUPTED = """
import os, signal, sys, threading, time
import torch
from esrgan_torch.engines.native.engine import NativeRRDBEngine
from esrgan_torch.networks.rrdb import RRDBNet
signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs inherit that it is ignored
engine = NativeRRDBEngine(RRDBNet(blocks=20), torch.device("cpu"), torch.float32)
begun = threading.Event()
def kill():
    begun.wait()
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=kill, daemon=True).start()
try:
    engine.trunk(torch.rand(1, 3, 400, 400), lambda share: begun.set())
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGINT") or sys.platform == "win32", reason="sends a signal")
def test_ctrl_c_ends_it() -> None:
    result = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60)
    assert result.stdout == "interrupted\n", result.stderr


def in_child(made: Engine, batch: torch.Tensor, right: torch.Tensor) -> None:
    os._exit(0 if torch.equal(picture(made, batch), right) else 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forking where there are threads
def test_a_forked_process_has_threads_of_its_own() -> None:
    torch_threads = torch.get_num_threads()
    made, batch = native(small_compact()), torch.rand(1, 3, 9, 9)
    right = picture(made, batch)
    child = multiprocessing.get_context("fork").Process(target=in_child, args=(made, batch, right))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert torch.get_num_threads() == torch_threads


def test_rings_do_not_grow_with_the_height() -> None:
    made = native(small_compact(features=64))
    work = [made.trunk_bytes(height, 64) - 4 * 48 * height * 64 for height in (512, 1024)]
    assert work[0] == work[1]


def test_short_memory_is_said_as_pytorch_says_it() -> None:
    with pytest.raises(RuntimeError) as raised:
        work_memory(2**62)
    assert is_out_of_memory(raised.value)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_work_memory_may_have_large_pages() -> None:
    """Linux gives none to shared memory, which Python's mmap makes unless it is told otherwise."""
    memory = engine.memory(3, 2**20)  # a result's is the work memory's
    inside = None
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        if (found := re.match(r"([0-9a-f]+)-([0-9a-f]+) (....) ", line)) is not None:
            start, end = (int(side, 16) for side in found.groups()[:2])
            inside = found[3] if start <= memory.data_ptr() < end else None
        elif inside is not None and line.startswith("VmFlags:"):
            assert inside == "rw-p"
            assert "hg" in line.split()
            return
    pytest.fail("its memory was not found")


def test_weights_changed_later_do_not_reach_it() -> None:
    for model in (small_rrdb(), small_compact()):
        made, batch = native(model), torch.rand(1, 3, 6, 8)
        before = picture(made, batch)
        for parameter in model.parameters():
            parameter.zero_()
        assert torch.equal(picture(made, batch), before)


def test_where_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    models = (small_compact(), small_rrdb())
    ours = [NativeCompactEngine, NativeRRDBEngine]
    assert [type(make_engine(model, CPU, torch.float32, "native")) for model in models] == ours
    monkeypatch.setattr(engine, "fastest_level", lambda: "avx2")
    assert [type(make_engine(model, CPU, torch.float32)) for model in models] == ours
    for slow in ("sse2", "neon", None):
        monkeypatch.setattr(engine, "fastest_level", lambda slow=slow: slow)
        assert not set(ours) & {type(make_engine(model, CPU, torch.float32)) for model in models}
    with pytest.raises(ConfigError, match="float32, not in bfloat16"):
        make_engine(models[1], CPU, torch.bfloat16, "native")
    with pytest.raises(EngineError, match="has no sse9"):
        NativeRRDBEngine(models[1], CPU, torch.float32, "sse9")


def test_without_the_library_others_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_find", lambda: build.Found(None, "there is no C compiler"))
    assert not isinstance(make_engine(small_rrdb(), CPU, torch.float32), NativeRRDBEngine)
    with pytest.raises(ConfigError, match="there is no C compiler"):
        choose.make_engine(small_rrdb(), CPU, torch.float32, "native")
