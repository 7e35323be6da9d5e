"""Graphs around PyTorch's engines: what is replayed, and when. CUDA's graphs are stood in for by calls."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from esrgan_torch.engines import replay
from esrgan_torch.engines.graphed import SMALL, GraphedEngine
from esrgan_torch.engines.rrdb import RRDBEngine
from tests.torch.networks import small_rrdb

CPU = torch.device("cpu")


class FakeGraph:
    """Does again what was captured: on the same memory, as a graph does."""

    def __init__(self, function: Callable[[Tensor], Tensor], given: Tensor, result: Tensor) -> None:
        self._function, self._given, self._result = function, given, result

    def replay(self) -> None:
        self._result.copy_(self._function(self._given))


@pytest.fixture
def captures(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int] | None]:
    """The pools of all captures."""
    made: list[tuple[int, int] | None] = []

    def capture(self: Any, given: Tensor) -> Any:
        copy = given.clone()
        self._pool = self._pool or (0, 1)
        made.append(self._pool)
        result = self._function(copy)
        return replay._Captured(FakeGraph(self._function, copy, result), copy, result)  # pyright: ignore

    monkeypatch.setattr(replay.Replay, "_capture", capture)
    return made


def graphed() -> GraphedEngine:
    return GraphedEngine(RRDBEngine(small_rrdb(), CPU, torch.float32))


def pictures(count: int, height: int = 12, width: int = 10) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(1, 3, height, width, generator=generator) for _ in range(count)]


@pytest.mark.usefixtures("captures")
def test_replays_equal_and_are_not_overwritten(captures: list[Any]) -> None:
    engine = graphed()
    batches = pictures(4)
    told: list[float] = []
    with torch.inference_mode():
        features = [engine.trunk(batch, told.append) for batch in batches]
        expected = [engine.inner.trunk(batch, lambda _: None) for batch in batches]
    assert len(captures) == 1, "the second of a shape captures, the others replay"
    assert all(map(torch.equal, features, expected))
    assert told == [1.0] * 4


def test_large_pictures_are_launched(captures: list[Any]) -> None:
    engine = graphed()
    side = int(SMALL**0.5) + 1
    engine.inner.trunk = lambda batch, progress: batch  # pyright: ignore[reportAttributeAccessIssue]
    for batch in pictures(3, side, side):
        assert engine.trunk(batch, lambda _: None) is batch
    assert not captures


@pytest.mark.usefixtures("captures")
def test_memory_comes_from_the_graphs_first() -> None:
    engine = graphed()
    band = engine.inner._band_bytes  # pyright: ignore
    with torch.inference_mode():
        for batch in pictures(2):
            engine.trunk(batch, lambda _: None)
    assert engine.shrink()
    assert engine.inner._band_bytes == band  # pyright: ignore
    assert engine.shrink()
    assert engine.inner._band_bytes == band // 2  # pyright: ignore


def test_a_device_without_graphs_computes_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuses(launch: object, pool: object) -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: (0, 1))
    monkeypatch.setattr(replay, "capture", refuses)
    engine = graphed()
    first, *others = pictures(4)
    with torch.inference_mode():
        expected = engine.trunk(first, lambda _: None)
        for _ in others:
            assert torch.equal(engine.trunk(first, lambda _: None), expected)
    assert caplog.text.count("no CUDA graphs here") == 1


def test_only_the_last_shapes_are_kept(captures: list[Any]) -> None:
    kept = replay.Replay(lambda batch: batch + 1, limit=2)
    for width in (3, 4, 5, 3, 3):
        given = torch.ones(1, width)
        assert torch.equal(kept(given), given + 1)
    assert len(captures) == 1
