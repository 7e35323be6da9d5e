"""The packed engine: every rewritten layer equals the layer it was made from; where the engine is chosen."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from esrgan_torch.engines import kinds
from esrgan_torch.engines import packed as engine_packed
from esrgan_torch.engines.choose import make_engine
from esrgan_torch.engines.packed import (
    PackedConvolution,
    PackedDenseBlock,
    PackedEngine,
    PackedEnlargement,
    PackedLastConvolution,
    fill_planes,
    plane_count,
    plane_width,
    transposed_weight,
)
from esrgan_torch.engines.rrdb import RRDBEngine
from esrgan_torch.networks.rrdb import SLOPE
from tests.support.processor import needs_bfloat16
from tests.torch.networks import small_compact, small_rrdb

CPU = torch.device("cpu")
CHANNELS_LAST = torch.channels_last
needs_onednn = pytest.mark.skipif(not engine_packed.is_available(), reason="needs oneDNN on x86")
BFLOAT16_ULP = 2**-8  # of values around 1

# 1 pixel, one row, one column, odd, and larger than the size that weights are packed for
SIZES = [(1, 1), (1, 9), (8, 1), (33, 1), (7, 13), (4, 300)]


def values(channels: int, size: tuple[int, int]) -> torch.Tensor:
    generator = torch.Generator().manual_seed(size[0] * 1000 + size[1])
    batch = torch.randn(1, channels, *size, generator=generator)
    return batch.contiguous(memory_format=CHANNELS_LAST)


def convolution(inputs: int, outputs: int) -> nn.Conv2d:
    torch.manual_seed(inputs * 100 + outputs)
    return nn.Conv2d(inputs, outputs, 3, padding=1).requires_grad_(False)


def assert_near_the_truth(
    ours: torch.Tensor, eager: torch.Tensor, exact: torch.Tensor, rounding: float = 1e-6
) -> None:
    assert ours.shape == exact.shape
    distance = (ours.double() - exact).abs().max()
    assert distance <= 2 * (eager.double() - exact).abs().max() + rounding


def test_the_transposed_convolution_is_enlargement_and_convolution() -> None:
    layer = convolution(3, 5).double()
    batch = values(3, (4, 6)).double()
    expected = layer(F.interpolate(batch, scale_factor=2.0, mode="nearest"))
    ours = F.conv_transpose2d(batch, transposed_weight(layer.weight), layer.bias, stride=2, padding=1)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12)


@needs_onednn
@pytest.mark.parametrize("size", SIZES)
def test_a_packed_convolution(size: tuple[int, int]) -> None:
    layer, batch = convolution(12, 7), values(12, size)
    packed = PackedConvolution(layer.weight, layer.bias)
    torch.testing.assert_close(packed(batch), layer(batch), rtol=0, atol=1e-5)
    torch.testing.assert_close(packed(batch, 0.1), F.leaky_relu(layer(batch), 0.1), rtol=0, atol=1e-5)


@needs_onednn
@pytest.mark.parametrize("size", SIZES)
def test_a_packed_enlargement(size: tuple[int, int]) -> None:
    layer, batch = convolution(12, 10), values(12, size)
    assert layer.bias is not None

    def plain(batch: torch.Tensor, layer: nn.Conv2d) -> torch.Tensor:
        return F.leaky_relu(layer(F.interpolate(batch, scale_factor=2.0, mode="nearest")), SLOPE)

    eager = plain(batch, layer)
    ours = PackedEnlargement(layer.weight, layer.bias)(batch)
    assert_near_the_truth(ours, eager, plain(batch.double(), layer.double()))


@needs_onednn
@pytest.mark.parametrize("size", [(2, 2), (2, 18), (14, 6)])
def test_a_packed_last_convolution(size: tuple[int, int]) -> None:
    layer, batch = convolution(12, 3), values(12, size)
    assert layer.bias is not None
    eager = layer(batch)
    ours = PackedLastConvolution(layer.weight, layer.bias)(batch)
    assert_near_the_truth(ours, eager, layer.double()(batch.double()))


def test_planes_as_wide_as_both_maps_allow() -> None:
    assert [plane_width(*sizes) for sizes in ((64, 32), (48, 32), (16, 48), (12, 5), (48, 20))] == [
        32,
        16,
        16,
        16,
        32,
    ]


@needs_onednn
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("features", "growth", "rounding"),
    # the last one adds up to 1,700 products of values up to 4 in one sum, where eager has partial sums
    [(12, 5, 1e-6), (32, 16, 1e-6), (16, 48, 1e-6), (48, 20, 3e-6)],
)
def test_a_packed_dense_block(size: tuple[int, int], features: int, growth: int, rounding: float) -> None:
    block = small_rrdb(features=features, growth=growth).rrdbs()[0].rdb2
    batch = values(features, size)
    eager = block.residual(batch)
    planes = torch.full((plane_count(features, growth), *size, plane_width(features, growth)), torch.nan)
    fill_planes(planes, 0, batch)
    ours = PackedDenseBlock(block)(planes)
    assert_near_the_truth(ours, eager, block.double().residual(batch.double()), rounding)


@needs_bfloat16
@pytest.mark.parametrize("size", SIZES)
def test_packed_layers_in_bfloat16(size: tuple[int, int]) -> None:
    """Each is as near to the truth as the plain layer in bfloat16."""
    half = torch.bfloat16
    layer, batch = convolution(32, 16).to(half), values(32, size).to(half)
    exact = copy.deepcopy(layer).double()
    assert layer.bias is not None
    weight, bias = layer.weight.float(), layer.bias.float()
    ours = PackedConvolution(weight, bias, dtype=half)(batch)
    assert_near_the_truth(ours, layer(batch), exact(batch.double()), BFLOAT16_ULP)

    enlarged = F.interpolate(batch, scale_factor=2.0, mode="nearest")
    eager, plain = layer(enlarged), exact(enlarged.double())
    ours = PackedEnlargement(weight, bias, half)(batch)
    assert_near_the_truth(ours, F.leaky_relu(eager, SLOPE), F.leaky_relu(plain, SLOPE), BFLOAT16_ULP)

    ours = PackedLastConvolution(weight[:3], bias[:3], half)(enlarged)
    assert_near_the_truth(ours, eager[:, :3], plain[:, :3], BFLOAT16_ULP)


@needs_bfloat16
@pytest.mark.parametrize("size", SIZES)
def test_a_packed_dense_block_in_bfloat16(size: tuple[int, int]) -> None:
    block = small_rrdb(features=32, growth=16).rrdbs()[0].rdb2
    batch = values(32, size).bfloat16()
    exact = block.double().residual(batch.double())
    planes = torch.full((plane_count(32, 16), *size, plane_width(32, 16)), torch.nan, dtype=torch.bfloat16)
    fill_planes(planes, 0, batch)
    ours = PackedDenseBlock(block.float(), torch.bfloat16)(planes)
    assert_near_the_truth(ours, block.bfloat16().residual(batch), exact, BFLOAT16_ULP)


@needs_onednn
def test_networks_on_the_cpu_run_packed_and_compact_ones_do_not() -> None:
    model = small_rrdb()
    assert type(make_engine(model, CPU, torch.float32, "eager")) is PackedEngine
    assert not isinstance(make_engine(small_compact(), CPU, torch.float32, "eager"), PackedEngine)


@needs_bfloat16
def test_bfloat16_runs_packed() -> None:
    assert type(make_engine(small_rrdb(), CPU, torch.bfloat16)) is PackedEngine


@needs_onednn
def test_bfloat16_runs_packed_where_the_processor_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_packed, "computes_bfloat16_fast", lambda device: False)
    assert type(make_engine(small_rrdb(), CPU, torch.bfloat16)) is RRDBEngine
    monkeypatch.setattr(engine_packed, "computes_bfloat16_fast", lambda device: True)
    assert engine_packed.is_available(torch.bfloat16)


def test_without_onednn_the_plain_engine_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "is_faster", lambda dtype: False)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert type(make_engine(small_rrdb(), CPU, torch.float32)) is RRDBEngine


def test_another_processor_has_the_plain_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "is_faster", lambda dtype: False)
    monkeypatch.setattr(engine_packed.platform, "machine", lambda: "aarch64")
    assert type(make_engine(small_rrdb(), CPU, torch.float32)) is RRDBEngine


@needs_onednn
def test_weights_changed_later_do_not_reach_the_engine() -> None:
    model = small_rrdb()
    engine = make_engine(model, CPU, torch.float32, "eager")
    batch = torch.rand(1, 3, 6, 8)
    with torch.inference_mode():
        before = engine.tail(engine.trunk(batch, lambda _: None))
        for parameter in model.parameters():
            parameter.zero_()
        after = engine.tail(engine.trunk(batch, lambda _: None))
    assert torch.equal(before, after)


@needs_onednn
def test_a_network_without_enlargement() -> None:
    model = small_rrdb(scale=1)
    batch = torch.rand(1, 3, 5, 7)
    engine = make_engine(model, CPU, torch.float32, "eager")
    with torch.inference_mode():
        ours = engine.tail(engine.trunk(batch, lambda _: None))
        torch.testing.assert_close(ours, model(batch), rtol=0, atol=1e-5)
