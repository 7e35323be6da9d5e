"""Routes `tf` and `onnx-tf`, with the real converters: few tests, because each starts heavy programs."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from esrgan_bridge.artifact import metadata_of, read_metadata, verify_shards
from esrgan_bridge.errors import ArtifactError, MissingRuntimeError
from esrgan_bridge.export.torch_to_onnx import export_onnx
from esrgan_bridge.lowering.onnx_to_tf import lower
from esrgan_bridge.onnx_tf.route import onnx_tf_convert
from esrgan_bridge.onnx_tf.setup import find_python
from esrgan_bridge.writers.graph_to_tensorflow import write_saved_model
from esrgan_bridge.writers.graph_to_tfjs import to_tfjs, write_tfjs
from esrgan_bridge.writers.tf_to_tfjs import saved_model_to_tfjs
from esrgan_bridge.writers.tfjs_model import read_model
from tests.bridge.writers.test_graph_to_tfjs import environment, nhwc
from tests.support.interpreter import compute
from tests.torch.networks import small_compact, small_rrdb, small_span

# tensorflow prints and warns when it is imported, so it runs in a child; one child answers for all signatures
ASK = """
import sys
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
answers = {"signatures": np.array(sorted(model.signatures))}
batch = tf.constant(np.load(sys.argv[2]))
ask = lambda name, **feeds: model.signatures[name](**feeds)
answers["output"] = ask("serving_default", input=batch)["output"]
if "trunk" in model.signatures:
    answers["features"] = ask("trunk", input=batch)["features"]
    answers["tail"] = ask("tail", features=answers["features"])["output"]
np.savez(sys.argv[3], **{name: np.asarray(value) for name, value in answers.items()})
"""

# by itself it computes in bfloat16 where the processor can
ASK_OPENVINO = """
import sys
import numpy as np
from esrgan_torch.engines.openvino_import import import_openvino
openvino = import_openvino()
model = openvino.Core().read_model(sys.argv[1])
compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
np.save(sys.argv[3], compiled(np.load(sys.argv[2]))[compiled.output("output")])
"""


def ask_tensorflow(saved_model: Path, batch: torch.Tensor) -> tuple[list[str], dict[str, torch.Tensor]]:
    """Names of its signatures, and what they answer."""
    question, answer = saved_model.parent / "question.npy", saved_model.parent / "answer.npz"
    np.save(question, batch.numpy())
    command = [sys.executable, "-c", ASK, str(saved_model), str(question), str(answer)]
    subprocess.run(command, check=True, capture_output=True, env=environment())
    with np.load(answer) as arrays:
        answers = {name: torch.from_numpy(arrays[name]) for name in arrays.files if name != "signatures"}
        return arrays["signatures"].tolist(), answers


def operations(model) -> Counter[str]:
    return Counter(node["op"] for node in model.nodes)


@pytest.mark.parametrize(
    "model",
    [small_rrdb(blocks=1, scale=2, unshuffle=2), small_compact(scale=3), small_span(scale=2)],
    ids=["rrdb, unshuffle", "compact", "span"],
)
def test_route_tf(model, tmp_path, rng, need):
    need("tensorflowjs")
    graph = lower(export_onnx(model, tmp_path / "model.onnx"))
    # tensorflowjs's own command line takes no path with a space
    saved = write_saved_model(graph, tmp_path / "two words", metadata_of(model))
    batch = torch.rand((2, 3, 6, 10), generator=rng)
    expected = nhwc(model(batch))
    signatures, answers = ask_tensorflow(saved, nhwc(batch).contiguous())
    assert signatures == ["both", "serving_default", "tail", "trunk"]
    torch.testing.assert_close(answers["output"], expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(answers["tail"], expected, rtol=0, atol=1e-5)
    assert verify_shards(saved).layout == "NHWC"

    folder = saved_model_to_tfjs(saved, tmp_path / "tfjs", read_metadata(saved), "uint8")
    verify_shards(folder)
    whole = saved_model_to_tfjs(saved, tmp_path / "whole", read_metadata(saved))
    found = read_model(whole)
    # two writers, one graph: neither has a transposition, a padding or an activation of its own
    expected_operations = operations(to_tfjs(graph))
    for converted in (operations(found), expected_operations):
        del converted["Const"]  # equal constants may be one or several
    assert operations(found).keys() - {"Const"} == expected_operations.keys()
    assert operations(found)["_FusedConv2D"] == graph.count()["conv"]
    assert "features" in {node["name"] for node in found.nodes}
    assert json.loads((whole / "model.json").read_text())["signature"]["outputs"].keys() == {"output"}
    pictures = [compute(made, {"input": nhwc(batch)}, "output") for made in (whole, folder)]
    torch.testing.assert_close(pictures[0], expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(pictures[1], expected, rtol=0, atol=3e-2)
    direct = write_tfjs(graph, tmp_path / "direct", metadata_of(model))
    other = compute(direct, {"input": nhwc(batch)}, "output")
    torch.testing.assert_close(pictures[0], other, rtol=0, atol=1e-6)


@pytest.mark.parametrize("model", [small_rrdb(blocks=1), small_compact(scale=3)], ids=["rrdb", "compact"])
def test_openvino_reads_our_saved_models(model, tmp_path, rng, need):
    """All of it, scalar constants among it, and it computes the same."""
    need("tensorflow")
    need("openvino")
    graph = lower(export_onnx(model, tmp_path / "model.onnx"))
    saved = write_saved_model(graph, tmp_path / "tf", metadata_of(model))
    batch = torch.rand((2, 3, 6, 10), generator=rng)
    np.save(tmp_path / "question.npy", nhwc(batch).contiguous().numpy())
    command = [sys.executable, "-c", ASK_OPENVINO, *map(str, (saved, tmp_path / "question.npy"))]
    subprocess.run([*command, tmp_path / "answer.npy"], check=True, capture_output=True, env=environment())
    found = torch.from_numpy(np.load(tmp_path / "answer.npy"))
    torch.testing.assert_close(found, nhwc(model(batch)), rtol=0, atol=1e-5)


def test_route_onnx_tf(tmp_path, rng, need):
    need("tensorflowjs")
    try:
        find_python()
    except MissingRuntimeError as error:
        pytest.skip(f"NOT TESTED: {error}")
    model = small_rrdb(blocks=1)
    file = export_onnx(model, tmp_path / "model.onnx")
    saved = onnx_tf_convert(file, tmp_path / "tf")
    batch = torch.rand((2, 3, 6, 10), generator=rng)
    signatures, answers = ask_tensorflow(saved, batch)
    assert signatures == ["serving_default"]
    torch.testing.assert_close(answers["output"], model(batch), rtol=0, atol=1e-5)
    record = read_metadata(saved)
    assert (record.layout, record.features_node) == ("NCHW", "")
    folder = saved_model_to_tfjs(saved, tmp_path / "tfjs", record, "uint8")
    assert verify_shards(folder).layout == "NCHW"
    assert operations(read_model(folder))["Transpose"] > 0


def test_no_saved_model(tmp_path):
    with pytest.raises(ArtifactError, match="holds no SavedModel"):
        saved_model_to_tfjs(tmp_path, tmp_path / "tfjs", metadata_of(small_rrdb(blocks=1)))


def test_tensorflowjs_absent(tmp_path, monkeypatch):
    from importlib.metadata import PackageNotFoundError

    def absent(name):
        raise PackageNotFoundError(name)

    (tmp_path / "saved_model.pb").write_bytes(b"")
    (tmp_path / "esrgan.json").write_text(metadata_of(small_rrdb(blocks=1)).to_json())
    monkeypatch.setattr("esrgan_bridge.writers.tf_to_tfjs.version", absent)
    with pytest.raises(MissingRuntimeError, match='or take route "direct"'):
        saved_model_to_tfjs(tmp_path, tmp_path / "tfjs", metadata_of(small_rrdb(blocks=1)))
