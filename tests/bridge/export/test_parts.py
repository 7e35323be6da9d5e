"""Trunk and tail as ONNX files of their own: exact tiles with nothing but a runtime and NumPy."""

import errno
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from esrgan_bridge.artifact import read_metadata
from esrgan_bridge.chain import convert, recheck
from esrgan_bridge.errors import ArtifactError, ConversionError, ParityError
from esrgan_bridge.export.parts import cut, part_files
from esrgan_bridge.export.torch_to_onnx import export_onnx
from esrgan_torch.errors import ConfigError
from tests.bridge.conftest import make_compact, make_rrdb

NETWORKS = {
    "rrdb x1": lambda: make_rrdb(scale=1),
    "rrdb, unshuffle": lambda: make_rrdb(scale=2, unshuffle=2),
    "compact": make_compact,
}


def run(file: Path, feed: str, batch: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    assert [port.name for port in session.get_inputs()] == [feed]
    (answer,) = session.run(None, {feed: batch})
    return np.asarray(answer)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_one_after_the_other_they_are_the_whole(make, dtype, tmp_path, rng):
    model = make()
    file = export_onnx(model, tmp_path / "model.onnx", dtype=dtype, parts=True)
    trunk, tail = part_files(file)
    batch = torch.rand((2, 3, 8, 6), generator=rng).numpy()
    features = run(trunk, "input", batch)
    whole = run(file, "input", batch)
    assert features.dtype == whole.dtype == np.float32
    np.testing.assert_array_equal(run(tail, "features", features), whole)
    np.testing.assert_allclose(whole, model(torch.from_numpy(batch)).numpy(), rtol=0, atol=5e-3)
    assert read_metadata(trunk) == read_metadata(tail) == read_metadata(file)
    # no weight is in both
    names = [{entry.name for entry in onnx.load(str(part)).graph.initializer} for part in (trunk, tail)]
    assert {name for name in names[0] & names[1] if not name.startswith("constant")} == set()


def test_sizes_are_named(tmp_path):
    file = export_onnx(make_rrdb(scale=2, unshuffle=2), tmp_path / "model.onnx", parts=True)
    (port,) = onnx.load(str(part_files(file)[1])).graph.output
    assert [size.dim_param or size.dim_value for size in port.type.tensor_type.shape.dim] == [
        "N",
        3,
        "4*h",
        "4*w",
    ]


def test_measured_beside_the_whole(tmp_path):
    report = convert(make_rrdb(), tmp_path / "net", to="onnx", parts=True, runners=["onnxruntime"])
    assert [row.step for row in report.rows][-1] == "onnx split"
    assert report.rows[-1].largest < 2e-5
    assert sorted(report.files) == ["onnx/model.onnx", "onnx/tail.onnx", "onnx/trunk.onnx", "reference.npz"]
    # a later conversion without them leaves none behind
    assert [row.step for row in recheck(tmp_path / "net", ["onnxruntime"]).rows][-1] == "onnx split"
    report = convert(make_rrdb(), tmp_path / "net", to="onnx", runners=["onnxruntime"])
    assert "onnx split" not in [row.step for row in report.rows]
    assert [file.name for file in (tmp_path / "net" / "onnx").iterdir()] == ["model.onnx"]


def test_a_tail_of_another_network_is_found(tiny_rrdb, tmp_path, monkeypatch):
    from esrgan_bridge.export import torch_to_onnx

    def other(*given):
        trunk, tail = cut(*given)
        weight = next(entry for entry in tail.graph.initializer if entry.name == "conv_last.weight")
        values = onnx.numpy_helper.to_array(weight) * np.float32(1.01)
        weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
        return trunk, tail

    monkeypatch.setattr(torch_to_onnx, "cut", other)
    with pytest.raises(ParityError, match="step onnx split, runner onnxruntime, probe noise"):
        convert(tiny_rrdb, tmp_path / "net", to="onnx", parts=True, runners=["onnxruntime"])


def test_a_cut_that_is_none(tmp_path):
    """A tensor inside the trunk: the tail would need the picture too."""
    document = onnx.load(str(export_onnx(make_rrdb(), tmp_path / "model.onnx")))
    inner = next(node for node in document.graph.node if node.op_type == "LeakyRelu").output[0]
    with pytest.raises(ConversionError, match=rf"the part from {inner} needs 'input' too"):
        cut(document, inner, ("N", 4, "H", "W"), 4)


def test_all_files_or_none(tiny_rrdb, tmp_path, monkeypatch):
    write = Path.write_bytes

    def full(self, data):
        if len(list(tmp_path.iterdir())) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ArtifactError, match="No space left"):
        export_onnx(tiny_rrdb, tmp_path / "model.onnx", parts=True)
    assert not list(tmp_path.iterdir())


def test_of_onnx_alone(tiny_compact, tmp_path):
    with pytest.raises(ConfigError, match="parts are files of ONNX, and go with --to onnx"):
        convert(tiny_compact, tmp_path / "net", parts=True)
