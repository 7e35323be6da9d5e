"""Whole networks through the kernels, beside float64 and beside PyTorch in the same precision."""

import pytest
import torch

from esrgan_torch.engines.cuda import choose
from esrgan_torch.engines.cuda.engine import KernelEngine
from esrgan_torch.engines.cuda.flat import FlatShape
from esrgan_torch.engines.cuda.tuning import Launch, Table, table_for
from esrgan_torch.engines.rrdb import RRDBEngine
from esrgan_torch.errors import EngineError
from esrgan_torch.networks.rrdb import RRDBNet
from tests.torch.networks import small_rrdb

# what lies around a buffer is read and then left out: NaN, or whatever the memory held before
pytestmark = [
    pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),
]

CPU = torch.device("cpu")
# large tiles: the interpreter pays for each step of a loop, not for its pixels
TABLE = Table(*[Launch("rows", 256, 64, 4, 2)] * 4, *[Launch("taps", 256, 64, 4, 2)] * 3)
SMALL = {"features": 16, "growth": 16, "blocks": 1}
SMALLEST = {**SMALL, "scale": 1}


def nothing(_: float) -> None:
    """No progress wanted."""


def picture(height: int, width: int) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))


def run(engine, batch: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return engine.tail(engine.trunk(batch, nothing))


def poisoned(engine: KernelEngine, batch: torch.Tensor) -> KernelEngine:
    """The engine, with NaN in all the memory that it will use for this picture."""
    shape = FlatShape(1, *(size // engine.unshuffle for size in batch.shape[-2:]))
    buffers = engine.trunk_buffers(shape), engine.tail_buffers(shape)
    for buffer in (buffers[0].picture, buffers[0].dense, *buffers[1].maps, buffers[1].large):
        buffer.values.fill_(torch.nan)
        buffer.before.fill_(torch.nan)
    return engine


def distance(values: torch.Tensor, exact: torch.Tensor) -> float:
    return ((values.double() - exact).norm() / exact.norm()).item()


def compare(model: RRDBNet, batch: torch.Tensor, dtype: torch.dtype, table: Table = TABLE) -> None:
    """The kernels are as near to float64 as PyTorch with the same rounding, and a little nearer."""
    exact = model.double()(batch.double())
    model.float()
    engine = poisoned(KernelEngine(model, CPU, dtype, table), batch)
    ours = distance(run(engine, batch), exact)
    eager = distance(run(RRDBEngine(model, CPU, dtype), batch), exact)
    assert ours <= 1.5 * eager, (ours, eager)


@pytest.mark.parametrize(
    ("sizes", "dtype"),
    [
        ({}, torch.float16),
        ({"scale": 2, "unshuffle": 2}, torch.bfloat16),
        ({"scale": 1, "unshuffle": 4}, torch.float16),
        ({"scale": 1, "in_channels": 1, "out_channels": 1}, torch.bfloat16),
    ],
    ids=str,
)
def test_networks_of_every_shape(sizes: dict[str, int], dtype: torch.dtype) -> None:
    side, channels = sizes.get("unshuffle", 1), sizes.get("in_channels", 3)
    compare(small_rrdb(**SMALL, **sizes), picture(3 * side, 5 * side)[:, :channels], dtype)


@pytest.mark.parametrize(
    "table",
    [*table_for((8, 0)).all_sizes(), *table_for((9, 0)).all_sizes()],
    ids=("A100", "H100", "H100 small"),
)
def test_the_official_sizes_by_the_tables(table: Table) -> None:
    compare(small_rrdb(features=64, growth=32, blocks=1), picture(6, 5), torch.float16, table)


def test_a_single_pixel() -> None:
    compare(small_rrdb(**SMALL, scale=2), picture(1, 1), torch.float16)


def test_memory_is_shared_by_sizes() -> None:
    """A smaller picture after a larger one finds neither its values nor its border, and takes no memory."""
    model = small_rrdb(**SMALLEST)
    engine = KernelEngine(model, CPU, torch.float16, TABLE)
    fresh = run(KernelEngine(model, CPU, torch.float16, TABLE), picture(4, 9))
    run(engine, picture(11, 6))
    held = engine.trunk_bytes(11, 6)
    assert torch.equal(run(engine, picture(4, 9)), fresh)
    assert engine.trunk_bytes(11, 6) == held < engine.trunk_bytes(40, 40)


def test_new_weights_in_the_same_memory() -> None:
    one, other = small_rrdb(**SMALLEST), small_rrdb(seed=1, **SMALLEST)
    engine = KernelEngine(one, CPU, torch.float16, TABLE)
    run(engine, picture(4, 5))
    engine.load(other)
    expected = run(KernelEngine(other, CPU, torch.float16, TABLE), picture(4, 5))
    assert torch.equal(run(engine, picture(4, 5)), expected)


@pytest.fixture
def small_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "TRIES", (3, 4))


@pytest.mark.usefixtures("small_tile")
def test_the_golden_tile_passes() -> None:
    model = small_rrdb(**SMALLEST)
    choose.check_golden_tile(KernelEngine(model, CPU, torch.bfloat16, TABLE), model)


@pytest.mark.usefixtures("small_tile")
def test_the_golden_tile_names_a_wrong_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    import esrgan_torch.engines.cuda.launch as launch

    right = launch.launch_taps

    def wrong(step, table) -> None:
        right(step, table)
        step.target.picture(step.place.at, 1).mul_(1.5)

    model = small_rrdb(**SMALLEST)
    engine = KernelEngine(model, CPU, torch.float16, TABLE)
    monkeypatch.setattr(launch, "launch_taps", wrong)
    with pytest.raises(EngineError, match="wrong: conv_taps in conv_first"):
        choose.check_golden_tile(engine, model)


@pytest.mark.usefixtures("small_tile")
def test_a_compiler_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import esrgan_torch.engines.cuda.launch as launch

    def fails(step, table) -> None:
        raise RuntimeError("no C compiler")

    monkeypatch.setattr(launch, "launch_taps", fails)
    model = small_rrdb(**SMALLEST)
    with pytest.raises(EngineError, match="do not run here: RuntimeError: no C compiler"):
        choose.check_golden_tile(KernelEngine(model, CPU, torch.float16, TABLE), model)
