"""Trunks by rows with PyTorch's operators, and which engine takes a picture by rows."""

import pytest
import torch

from esrgan_torch.engines.choose import make_engine
from esrgan_torch.engines.choose_rows import RowEngine, make_row_engine
from esrgan_torch.engines.ncnn.vulkan import VULKAN
from esrgan_torch.engines.row_layers import BAND, LayerRowTrunk
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.foreign import ForeignNetwork
from tests.torch.networks import small_compact, small_rrdb, small_span

CPU = torch.device("cpu")
NETWORKS = {
    "compact": small_compact(),
    "rrdb": small_rrdb(),
    "rrdb x1": small_rrdb(scale=1),
    "span": small_span(),
}


def eager(model: Generator) -> RowEngine:
    made = make_row_engine(model, CPU, make_engine(model, CPU, torch.float32, "eager"), "eager")
    assert made is not None
    assert isinstance(made.trunk, LayerRowTrunk)
    return made


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("height", "width"), [(4, 4), (4, 60), (188, 4), (2 * BAND * 4, 20)])
@pytest.mark.parametrize("rows", [4, 52])
def test_by_rows_is_as_whole(name: str, height: int, width: int, rows: int) -> None:
    model = NETWORKS[name]
    batch = torch.rand(1, 3, height, width)
    with torch.inference_mode():
        expected = model.trunk(batch)
        way = eager(model).trunk.rows(height, width)
        found = torch.cat([part for cut in batch.split(rows, dim=2) for part in way.push(cut)], dim=2)
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= 4e-6 * expected.abs().max()


def test_one_pixel() -> None:
    batch = torch.rand(1, 3, 1, 1)
    with torch.inference_mode():
        (found,) = eager(NETWORKS["span"]).trunk.rows(1, 1).push(batch)
        torch.testing.assert_close(found, NETWORKS["span"].trunk(batch))


def test_memory_goes_with_the_width_not_with_the_height() -> None:
    trunk = eager(NETWORKS["rrdb"]).trunk
    assert trunk.rows_bytes(4000, 400) == trunk.rows_bytes(40_000, 400)
    assert trunk.rows_bytes(4000, 800) == 2 * trunk.rows_bytes(4000, 400)


def test_a_half_precision_engine_is_replaced_by_one_in_float32() -> None:
    model = small_rrdb()
    half = make_engine(model, CPU, torch.bfloat16, "eager")
    made = make_row_engine(model, CPU, half, "eager")
    assert made is not None
    assert made.engine.dtype == torch.float32


def test_weights_in_half_precision_are_copied_not_changed() -> None:
    model = small_compact().bfloat16()
    trunk = eager(model).trunk
    assert next(model.parameters()).dtype == torch.bfloat16
    with torch.inference_mode():
        (found,) = trunk.rows(8, 8).push(torch.rand(1, 3, 8, 8))
    assert found.dtype == torch.float32


def test_networks_of_others_do_not_go_by_rows() -> None:
    made = make_engine(NETWORKS["compact"], CPU, torch.float32, "eager")
    assert make_row_engine(ForeignNetwork.__new__(ForeignNetwork), CPU, made) is None


def test_ncnn_does_not_go_by_rows() -> None:
    made = make_engine(NETWORKS["compact"], CPU, torch.float32, "eager")
    assert make_row_engine(NETWORKS["compact"], torch.device(VULKAN, 0), made) is None
