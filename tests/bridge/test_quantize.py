"""Smaller weights: their error, their size, and that TF.js's own operations undo them."""

import numpy as np
import pytest
import torch

from esrgan_bridge.errors import ConversionError
from esrgan_bridge.graph_to_tfjs import to_tfjs
from esrgan_bridge.onnx_to_tf import lower
from esrgan_bridge.quantize import filters_of, finest, in_levels, quantized, sum_keeping
from esrgan_bridge.tfjs_model import restored
from esrgan_bridge.torch_to_onnx import export_onnx
from tests.bridge.interpreter import compute
from tests.bridge.test_graph_to_tfjs import direct, nhwc
from tests.torch.networks import small_compact, small_rrdb


def graph_of(model, folder):
    return to_tfjs(lower(export_onnx(model, folder / "model.onnx")))


def total(model):
    return sum(stored.values.nbytes for stored in model.weights.values())


def expanded(parts):
    levels, zeros, steps = (restored(parts[name]) for name in ("levels", "zeros", "steps"))
    return (levels - zeros) * steps


def test_levels_are_within_a_step():
    values = np.random.default_rng(0).normal(0, 0.05, (3, 3, 64, 32)).astype(np.float32)
    parts = in_levels(values)
    found = expanded(parts)
    assert parts["levels"].values.shape == (3, 3, 8, 8, 32)
    error = np.abs(found.reshape(values.shape) - values)
    steps = np.broadcast_to(parts["steps"].values.astype(np.float32), found.shape).reshape(values.shape)
    assert (error <= 1.01 * steps).all()
    # the sum of a kernel is kept to half a step, where rounding alone would leave up to 4.5
    sums = np.abs((found.reshape(values.shape) - values).sum(axis=(0, 1)))
    assert (sums <= 0.51 * steps[0, 0]).mean() > 0.99  # a level at the end of its range cannot move on


def test_sum_keeping():
    exact = np.full((3, 3, 1), 0.4, np.float32)
    assert sum_keeping(exact).sum() == 4  # 3.6, rounded; each by itself would give 0
    assert set(np.unique(sum_keeping(exact))) <= {0, 1}
    assert (sum_keeping(-exact) == -sum_keeping(exact)).all()


@pytest.mark.parametrize(
    "values", [np.zeros((3, 3, 8, 4)), np.full((3, 3, 8, 4), 0.7), np.full((1, 1, 7, 1), -1e-7)]
)
def test_odd_filters(values):
    found = expanded(in_levels(values.astype(np.float32))).reshape(values.shape)
    np.testing.assert_allclose(found, values, rtol=0.01, atol=6e-8)


@pytest.mark.parametrize("make", [small_rrdb, small_compact])
@pytest.mark.parametrize(("kind", "bound"), [("float16", 2e-3), ("uint8", 3e-2)])
def test_picture(make, kind, bound, tmp_path, rng):
    model = make()
    folder = direct(model, tmp_path, kind)
    batch = torch.rand((1, 3, 8, 8), generator=rng)
    found = compute(folder, {"input": nhwc(batch)}, "output")
    error = (found - nhwc(model(batch))).abs().max().item()
    assert 0 < error < bound


def test_sizes(tmp_path):
    model = graph_of(small_rrdb(features=32, growth=16), tmp_path)
    plain, half, eighth = (total(quantized(model, kind)) for kind in ("none", "float16", "uint8"))
    assert half / plain == pytest.approx(0.5, abs=0.01)
    assert eighth / plain < 0.25 * 1.1
    assert quantized(model, "none") is model


def test_what_stays_fine(tmp_path):
    rrdb = graph_of(small_rrdb(features=16, growth=8, blocks=6), tmp_path)
    names = [name.removesuffix("/weight").removesuffix("/Conv") for name in finest(rrdb, filters_of(rrdb))]
    assert names == ["conv_first", "conv_last", "conv_hr", "conv_up2", "conv_up1", "conv_body"]
    # where the last ones are more than a twentieth of all, fewer
    compact = graph_of(small_compact(features=8, convolutions=3), tmp_path)
    assert finest(compact, filters_of(compact)) == ["body.0/weight"]


def test_official_weights_in_half_precision_lose_nothing(tmp_path):
    model = small_rrdb()
    for parameter in model.parameters():
        if parameter.ndim == 4:
            parameter.copy_(parameter.half().float())
    before = graph_of(model, tmp_path)
    after = quantized(before, "float16")
    for name, stored in before.weights.items():
        assert np.array_equal(restored(after.weights[name]), stored.values)


def test_refusals(tmp_path):
    with pytest.raises(ConversionError, match="none, float16, uint8, not 'int4'"):
        quantized(graph_of(small_rrdb(blocks=1), tmp_path), "int4")
    large = small_rrdb(blocks=1)
    large.conv_last.weight[0, 0, 0, 0] = 1e6
    with pytest.raises(ConversionError, match=r"conv_last/weight holds 1000000.0, and float16 ends at 65504"):
        quantized(graph_of(large, tmp_path), "float16")
