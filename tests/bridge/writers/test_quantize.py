"""Smaller weights: their error, their size, and that TF.js's own operations undo them."""

from collections import Counter

import numpy as np
import pytest
import torch

from esrgan_bridge.errors import ConversionError
from esrgan_bridge.export.torch_to_onnx import export_onnx
from esrgan_bridge.lowering.onnx_to_tf import lower
from esrgan_bridge.writers.graph_to_tfjs import to_tfjs
from esrgan_bridge.writers.quantize import expanded, filters_of, finest, quantized
from esrgan_bridge.writers.rounding import LEVELS
from esrgan_bridge.writers.tfjs_model import read_model, restored
from tests.bridge.writers.test_graph_to_tfjs import direct, nhwc
from tests.support.interpreter import compute
from tests.torch.networks import small_compact, small_rrdb


def graph_of(model, folder):
    return to_tfjs(lower(export_onnx(model, folder / "model.onnx")))


def total(model):
    return sum(stored.values.nbytes for stored in model.weights.values())


@pytest.mark.parametrize("make", [small_rrdb, small_compact])
@pytest.mark.parametrize(("kind", "bound"), [("float16", 2e-3), ("uint8", 3e-2)])
def test_picture(make, kind, bound, tmp_path, rng):
    model = make()
    folder = direct(model, tmp_path, kind)
    batch = torch.rand((1, 3, 8, 8), generator=rng)
    found = compute(folder, {"input": nhwc(batch)}, "output")
    error = (found - nhwc(model(batch))).abs().max().item()
    assert 0 < error < bound


def test_expanded_is_what_the_graph_computes(tmp_path):
    model = small_rrdb(features=16, growth=8, blocks=2)
    before = graph_of(model, tmp_path)
    folder = direct(model, tmp_path, "uint8")
    names = filters_of(before)
    found = expanded(read_model(folder), names)
    assert set(found) == set(names)
    assert set(names) > set(finest(before, names))
    for name in names:
        computed = compute(folder, {}, name).numpy()
        assert np.array_equal(found[name], computed)
        original = before.weights[name].values
        assert 0 < np.abs(found[name] - original).max() < np.ptp(original) / 200


def test_few_nodes_for_many_filters(tmp_path):
    before = graph_of(small_rrdb(features=16, growth=8, blocks=4), tmp_path)
    after = quantized(before, "uint8")
    operations = Counter(node["op"] for node in after.nodes)
    # growth and features are two numbers of outputs, so two stacks
    assert operations["SplitV"] == operations["Mul"] - Counter(n["op"] for n in before.nodes)["Mul"] == 2
    assert len(after.nodes) - len(before.nodes) < 30
    assert operations["_FusedConv2D"] == len(filters_of(before))


def test_a_stack_has_a_limit(tmp_path, monkeypatch):
    model = small_rrdb(features=16, growth=8, blocks=2)
    before = graph_of(model, tmp_path)
    monkeypatch.setattr("esrgan_bridge.writers.quantize.STACK", 8000)
    after = quantized(before, "uint8")
    held = [stored.values.size for name, stored in after.weights.items() if name.endswith("/levels")]
    assert max(held) <= 8000
    assert len(held) > 2
    names = filters_of(before)
    monkeypatch.undo()
    expected = expanded(quantized(before, "uint8"), names)
    for name, value in expanded(after, names).items():
        # each stack has a unit of its own for its steps, so a level more or less
        assert np.abs(value - expected[name]).max() <= 2 * np.ptp(expected[name]) / LEVELS


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
    # the last dense block too, where it is within a twentieth of all
    deep = graph_of(small_rrdb(features=16, growth=8, blocks=12), tmp_path)
    assert finest(deep, filters_of(deep))[6:] == [
        f"body.11/rdb3/conv{number}/weight" for number in (5, 4, 3, 2, 1)
    ]
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
