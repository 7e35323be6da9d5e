"""Trunks by rows in the native engine: as the whole trunk, at every size, however rows come."""

import pytest
import torch

from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.native.engine import NativeRRDBEngine
from esrgan_torch.engines.native.rows import NativeRowTrunk
from esrgan_torch.networks.base import Generator
from tests.torch.engines.native.levels import levels, needs_native
from tests.torch.engines.native.test_engine import CPU, native, nothing
from tests.torch.networks import small_compact, small_rrdb, small_span

pytestmark = needs_native

NETWORKS = {
    "compact": small_compact(),
    "rrdb": small_rrdb(),
    "rrdb x2": small_rrdb(scale=2),
    "span": small_span(),
}


def by_rows(made: Engine, batch: torch.Tensor, rows: int) -> torch.Tensor:
    trunk = made.by_rows()
    assert trunk is not None
    way = trunk.rows(batch.shape[2], batch.shape[3])
    parts = [part.clone() for cut in batch.split(rows, dim=2) for part in way.push(cut)]
    return torch.cat(parts, dim=2)


def assert_as_whole(model: Generator, height: int, width: int, rows: int, level: str | None = None) -> None:
    made = native(model, level)
    torch.manual_seed(height)
    batch = torch.rand(1, 3, height, width)
    expected = made.trunk(batch, nothing)
    found = by_rows(made, batch, rows)
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= 4e-6 * expected.abs().max()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("height", "width"), [(4, 4), (4, 132), (188, 4), (132, 68), (72, 36)])
def test_by_rows_is_as_whole(name: str, height: int, width: int) -> None:
    assert_as_whole(NETWORKS[name], height, width, 8)


@pytest.mark.parametrize("name", ["compact", "rrdb", "span"])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (1, 150), (167, 1), (101, 53)])
def test_odd_sizes(name: str, height: int, width: int) -> None:
    assert_as_whole(NETWORKS[name], height, width, 7)


@pytest.mark.parametrize("rows", [1, 3, 32, 33, 500])
def test_rows_may_come_in_any_portions(rows: int) -> None:
    assert_as_whole(NETWORKS["rrdb"], 143, 37, rows)


@pytest.mark.parametrize("level", levels())
def test_every_level_of_instructions(level: str) -> None:
    assert_as_whole(NETWORKS["rrdb"], 70, 41, 16, level)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_do_not_change_the_bits(threads: int) -> None:
    batch = torch.rand(1, 3, 90, 77)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        expected = by_rows(native(NETWORKS["span"]), batch, 30)
        torch.set_num_threads(threads)
        assert torch.equal(by_rows(native(NETWORKS["span"]), batch, 30), expected)
    finally:
        torch.set_num_threads(before)


def test_nothing_of_an_earlier_picture_is_read() -> None:
    """What lies above a picture's first row is zeros, whatever was in the memory."""
    made = native(NETWORKS["rrdb"])
    trunk = made.by_rows()
    assert isinstance(trunk, NativeRowTrunk)
    batch = torch.rand(1, 3, 40, 30)
    expected = by_rows(made, batch, 40)
    way = trunk.rows(40, 30)
    memory = way._memory  # pyright: ignore[reportPrivateUsage,reportAttributeAccessIssue]
    memory.view(torch.float32).fill_(float("nan"))
    assert torch.equal(torch.cat([part.clone() for part in way.push(batch)], dim=2), expected)


def test_memory_goes_with_the_width_not_with_the_height() -> None:
    trunk = native(NETWORKS["rrdb"]).by_rows()
    assert trunk is not None
    assert trunk.rows_bytes(4000, 400) == trunk.rows_bytes(40_000, 400)
    assert trunk.rows_bytes(40_000, 400) < trunk.rows_bytes(40_000, 800)


def test_a_deep_network_keeps_few_rows() -> None:
    """Some 130,000 values a column with 23 blocks of the published sizes, so 5,700 a block."""
    deep = NativeRRDBEngine(small_rrdb(blocks=3, features=64, growth=32), CPU, torch.float32)
    trunk = deep.by_rows()
    assert trunk is not None
    assert trunk.rows_bytes(10_000, 8000) / 4 / 8000 < 3 * 5_700 + 6_000


def test_a_picture_can_be_given_up_and_another_begun() -> None:
    made = native(NETWORKS["compact"])
    trunk = made.by_rows()
    assert trunk is not None
    way = trunk.rows(200, 300)
    assert next(way.push(torch.rand(1, 3, 150, 300))).shape[2] > 0
    del way
    assert_as_whole(NETWORKS["compact"], 60, 50, 20)
