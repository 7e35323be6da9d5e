"""Copies for one size of picture, and every opset: `convert(shape=..., opset=...)`."""

import json

import numpy as np
import onnx
import pytest

from esrgan_bridge.artifact import from_json, metadata_of
from esrgan_bridge.chain import convert, recheck
from esrgan_bridge.errors import ArtifactError
from esrgan_bridge.options import OPSETS
from esrgan_bridge.parity import measure
from esrgan_bridge.parity.probes import make_probes
from esrgan_torch.errors import ConfigError
from tests.bridge.conftest import make_compact, make_rrdb, make_span

SHAPE = 10, 14


def sizes_of(value):
    return [size.dim_value or size.dim_param for size in value.type.tensor_type.shape.dim]


@pytest.mark.parametrize("make", [make_compact, make_rrdb, make_span])
def test_onnx(make, tmp_path):
    model = make()
    report = convert(model, tmp_path / "net", to="onnx", shape=SHAPE, runners=["onnxruntime"])
    document = onnx.load(str(tmp_path / "net" / "onnx" / "model.onnx"))
    scale = model.scale
    assert sizes_of(document.graph.input[0]) == [1, 3, *SHAPE]
    assert sizes_of(document.graph.output[0]) == [1, 3, SHAPE[0] * scale, SHAPE[1] * scale]
    rows = [row for row in report.rows if row.step == "onnx"]
    assert {row.size for row in rows} == {"10x14"}
    assert len(rows) == len(make_probes())
    assert recheck(tmp_path / "net", ["onnxruntime"]).passed
    # a compiler for one size finds that of every value
    inferred = onnx.shape_inference.infer_shapes(document, strict_mode=True)
    assert all(all(isinstance(size, int) for size in sizes_of(value)) for value in inferred.graph.value_info)


def test_tfjs(tmp_path, need):
    need("tfjs-node")
    model = make_rrdb(scale=2, unshuffle=2)
    runners = ["onnxruntime", "tfjs-node", "kernels-node"]
    report = convert(model, tmp_path / "net", route="direct", shape=SHAPE, runners=runners)
    document = json.loads((tmp_path / "net" / "tfjs" / "model.json").read_text())
    shape = document["signature"]["outputs"]["output"]["tensorShape"]["dim"]
    assert [entry["size"] for entry in shape] == ["1", "20", "28", "3"]
    assert document["userDefinedMetadata"]["esrgan"]["fixed_size"] == [10, 14]
    assert sum(row.runner == "tfjs-node" for row in report.rows) == len(make_probes())
    reasons = {(entry.runner, entry.probe): entry.reason for entry in report.not_run}
    assert "of any size" in reasons["kernels-node", ""]
    assert "takes no tiles" in reasons["tfjs-node", "tfjs split"]


def test_a_size_that_the_network_does_not_take(tmp_path):
    with pytest.raises(ConfigError, match="that 2 divides, not 10x15"):
        convert(make_rrdb(scale=2, unshuffle=2), tmp_path / "net", to="onnx", shape=(10, 15))
    assert not list(tmp_path.iterdir())


def test_probes_of_one_size():
    """Small and large; the photos come first, and what is large shows the picture mirrored."""
    for size in ((1, 1), (8, 40), (50, 30)):
        probes = make_probes(size=size)
        assert {probe.pixels.shape for probe in probes} == {(*size, 3)}
    own = {probe.name: probe.pixels for probe in make_probes()}
    assert [probe.name for probe in probes] == list(reversed(own))
    photo = probes[0].pixels
    np.testing.assert_array_equal(photo[:24, :24], own["fur"])
    np.testing.assert_array_equal(photo[24:48, :24], own["fur"][::-1])


def test_a_large_size_gets_the_probes_that_there_is_time_for(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "BUDGET", 0.0)
    report = convert(make_compact(), tmp_path / "net", to="onnx", shape=SHAPE, runners=["onnxruntime"])
    assert [row.probe for row in report.rows] == ["fur", "fur"]
    assert report.not_run[0].runner == "torch"
    assert "eye" in report.not_run[0].probe


def test_the_record():
    record = metadata_of(make_compact())
    assert "fixed_size" not in record.to_dict()  # as releases wrote it that knew none
    fixed = record.with_changes(fixed_size=SHAPE)
    assert from_json(fixed.to_json()) == fixed
    for size in ([0, 4], [4], "4x4", [4, 4.5], [1 << 30, 4]):
        with pytest.raises(ArtifactError, match="damaged"):
            from_json(json.dumps({**record.to_dict(), "fixed_size": size}))


@pytest.mark.parametrize("opset", [OPSETS.start, 17, OPSETS.stop - 1])
@pytest.mark.parametrize("make", [make_compact, make_rrdb, make_span])
def test_opsets(make, opset, tmp_path):
    """ONNX Runtime computes each, and the lowering reads each."""
    runners = ["onnxruntime"]
    report = convert(make(), tmp_path / "net", to="tfjs", route="direct", opset=opset, runners=runners)
    file = tmp_path / "net" / "onnx" / "model.onnx"
    assert onnx.load(str(file)).opset_import[0].version == opset
    assert max(row.largest for row in report.rows if row.step == "onnx") < 1e-5
    # the same graph, whichever the opset
    convert(make(), tmp_path / "plain", to="tfjs", route="direct", runners=[])
    made, plain = ((tmp_path / name / "tfjs" / "model.json").read_bytes() for name in ("net", "plain"))
    assert made == plain  # the sha256 of the weights stand in it
