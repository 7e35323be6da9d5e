"""The ONNX file gives what the network gives, at every scale and size, in few kinds of operators."""

import errno
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from esrgan_bridge.artifact import metadata_of, read_metadata
from esrgan_bridge.errors import ArtifactError, ConversionError
from esrgan_bridge.export.torch_to_onnx import export_onnx
from esrgan_torch.networks.export import folded_weight
from tests.torch.networks import small_compact, small_rrdb, small_span

NETWORKS = {
    **{f"rrdb x{scale}": {"scale": scale} for scale in (1, 2, 4, 8, 16)},
    "rrdb x2, unshuffle 2": {"scale": 2, "unshuffle": 2},
    "rrdb x1, unshuffle 4": {"scale": 1, "unshuffle": 4},
    "rrdb x4, gray": {"in_channels": 1, "out_channels": 1},
}


def run(file: Path, batch: torch.Tensor) -> torch.Tensor:
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (result,) = session.run(["output"], {"input": batch.numpy()})
    return torch.from_numpy(np.asarray(result))


@pytest.mark.parametrize("sizes", NETWORKS.values(), ids=NETWORKS)
def test_rrdb(sizes, tmp_path, rng):
    model = small_rrdb(blocks=1, **sizes)
    file = export_onnx(model, tmp_path / "model.onnx")
    for count, height, width in ((1, 8, 8), (2, 5, 3), (1, 1, 9)):
        shape = (count, model.in_channels, height * model.unshuffle, width * model.unshuffle)
        batch = torch.rand(shape, generator=rng)
        torch.testing.assert_close(run(file, batch), model(batch), rtol=0, atol=1e-5)


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_compact(scale, tmp_path, rng):
    model = small_compact(scale=scale)
    file = export_onnx(model, tmp_path / "model.onnx")
    batch = torch.rand((2, 3, 5, 7), generator=rng)
    torch.testing.assert_close(run(file, batch), model(batch), rtol=0, atol=1e-5)


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("scale", [1, 3, 4])
def test_span(scale, normalised, tmp_path, rng):
    model = small_span(scale=scale, normalised=normalised)
    file = export_onnx(model, tmp_path / "model.onnx")
    batch = torch.rand((2, 3, 5, 7), generator=rng)
    torch.testing.assert_close(run(file, batch), model(batch), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "model", [small_rrdb(blocks=1), small_compact(), small_span()], ids=["rrdb", "compact", "span"]
)
def test_float16(model, tmp_path, rng):
    """Weights and arithmetic; numbers go in and come out as float32."""
    file = export_onnx(model, tmp_path / "model.onnx", dtype="float16")
    batch = torch.rand((1, 3, 8, 8), generator=rng)
    found = run(file, batch)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, model(batch), rtol=0, atol=5e-3)
    record = read_metadata(file)
    assert (record.dtype, record.quantize) == ("float32", "float16")
    document = onnx.load(str(file))
    single = {entry.name for entry in document.graph.initializer if entry.data_type == onnx.TensorProto.FLOAT}
    assert all(name.startswith("constant") for name in single)  # by how much Resize enlarges
    assert Counter(node.op_type for node in document.graph.node)["Cast"] == 2


def test_kinds_of_operators(tmp_path):
    export_onnx(small_rrdb(), tmp_path / "rrdb.onnx")
    export_onnx(small_compact(), tmp_path / "compact.onnx")
    rrdb, compact = (onnx.load(str(tmp_path / f"{name}.onnx")) for name in ("rrdb", "compact"))
    assert Counter(node.op_type for node in rrdb.graph.node) == {
        "Conv": 36, "LeakyRelu": 27, "Concat": 24, "Mul": 8, "Add": 9, "Resize": 2
    }  # fmt: skip
    assert {node.op_type for node in compact.graph.node} == {
        "Conv",
        "PRelu",
        "Concat",
        "Add",
        "DepthToSpace",
    }
    assert rrdb.opset_import[0].version == 13


def test_names_are_those_of_the_checkpoint(tmp_path):
    for model in (small_rrdb(), trained_slopes(small_compact()), small_span()):
        export_onnx(model, tmp_path / "model.onnx")
        tensors = {entry.name for entry in onnx.load(str(tmp_path / "model.onnx")).graph.initializer}
        assert tensors >= set(model.state_dict())


def trained_slopes(model):
    """Slopes differ from layer to layer, as in a trained network."""
    for number, layer in enumerate(model.modules()):
        if isinstance(layer, nn.PReLU):
            layer.weight += 0.01 * number
    return model


def test_features_are_the_tensor_between_trunk_and_tail(tmp_path, rng):
    model = small_rrdb(scale=2, unshuffle=2)
    document = onnx.load(str(export_onnx(model, tmp_path / "model.onnx")))
    onnx.checker.check_model(document, full_check=True)
    document.graph.output.append(onnx.helper.make_tensor_value_info("features", 1, [None] * 4))
    session = onnxruntime.InferenceSession(document.SerializeToString(), providers=["CPUExecutionProvider"])
    batch = torch.rand((1, 3, 8, 6), generator=rng)
    (features,) = session.run(["features"], {"input": batch.numpy()})
    torch.testing.assert_close(torch.from_numpy(np.asarray(features)), model.trunk(batch), rtol=0, atol=1e-5)


def test_record(tmp_path):
    model = small_rrdb(scale=2)
    file = export_onnx(model, tmp_path / "model.onnx")
    assert read_metadata(file) == metadata_of(model).with_changes(layout="NCHW")


def test_same_bytes(tmp_path):
    first, second = (export_onnx(small_rrdb(), tmp_path / name).read_bytes() for name in ("a.onnx", "b.onnx"))
    assert first == second


def test_the_network_is_left_as_it_was(tmp_path):
    for model in (small_rrdb(scale=2, unshuffle=2), small_compact()):
        before = {name: value.clone() for name, value in model.state_dict().items()}
        export_onnx(model, tmp_path / "model.onnx", dtype="float16")
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_folded_weight(rng):
    batch, weight = torch.rand((1, 3, 8, 8), generator=rng), torch.rand((5, 48, 3, 3), generator=rng)
    expected = nn.functional.conv2d(nn.functional.pixel_unshuffle(batch, 4), weight, padding=1)
    found = nn.functional.conv2d(batch, folded_weight(weight, 4), stride=4, padding=4)
    torch.testing.assert_close(found, expected)


def test_refusals(tmp_path):
    with pytest.raises(ConversionError, match="float32 or float16, not uint8"):
        export_onnx(small_rrdb(), tmp_path / "model.onnx", dtype="uint8")
    large = small_rrdb()
    large.conv_last.weight[0, 0, 0, 0] = 1e6
    with pytest.raises(ConversionError, match="not finite in float16"):
        export_onnx(large, tmp_path / "model.onnx", dtype="float16")
    with pytest.raises(ArtifactError, match=r"cannot write .*model\.onnx"):
        export_onnx(small_rrdb(), tmp_path / "absent" / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ArtifactError, match="No space left"):
        export_onnx(small_rrdb(), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
