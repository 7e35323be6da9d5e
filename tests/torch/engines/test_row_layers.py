"""Trunks by rows with PyTorch's operators, and which engine takes a picture by rows."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from esrgan_torch.engines import base, row_layers
from esrgan_torch.engines.choose import make_engine
from esrgan_torch.engines.choose_rows import RowEngine, make_row_engine
from esrgan_torch.engines.ncnn.vulkan import VULKAN
from esrgan_torch.engines.plain import PlainEngine
from esrgan_torch.engines.row_layers import BAND, LayerRowTrunk
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.foreign import ForeignNetwork
from esrgan_torch.tiling import rows as tiling_rows
from esrgan_torch.tiling.incoming import enlarge_rows
from esrgan_torch.tiling.mosaic import JoinedMosaic
from esrgan_torch.watch import Watch
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


class _OneDevice(TorchDispatchMode):
    """Every operation has all its values on one device, unless it copies them from one to another."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = 0

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        found = {leaf.device.type for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        assert len(found) <= 1, (func, found)
        if getattr(func, "overloadpacket", None) in (torch.ops.aten.conv2d, torch.ops.aten.convolution):
            assert found == {"meta"}
            self.convolutions += 1
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("channels", [1, 3])
def test_another_device_computes_all_of_it(name: str, channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on CUDA, which is not here: PyTorch's device `meta` computes nothing, and knows what lies on it."""
    for module in (base, row_layers, tiling_rows):
        monkeypatch.setattr(module, "computing", lambda _: nullcontext())
    monkeypatch.setattr(
        JoinedMosaic, "put", lambda *given: given[-1].device.type == "meta"
    )  # its values come to the CPU there
    model = NETWORKS[name]
    meta = torch.device("meta")
    moved = make_row_engine(model, meta, PlainEngine(model, meta, torch.float32), "eager")
    assert moved is not None
    assert next(model.parameters()).device.type == "cpu"
    given = np.random.default_rng(0).integers(0, 256, (300, 20, channels), np.uint8)
    with torch.inference_mode(), _OneDevice() as mode:
        bands = list(enlarge_rows(moved, model, iter(np.split(given, 10)), 300, 20, Watch(None, None)))
    assert sum(len(band) for band in bands) == 300 * model.scale
    assert mode.convolutions > 3 * sum(isinstance(layer, nn.Conv2d) for layer in model.modules()) // 2
