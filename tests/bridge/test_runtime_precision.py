"""Runners set what they compute in: float32 is float32 on processors that are faster with fewer bits.

TensorFlow's and TF.js's are in test_runtimes, where they are started in any case.
"""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from esrgan_bridge.chain import convert, recheck
from esrgan_bridge.errors import ParityError
from esrgan_bridge.parity.findings import PRECISION
from esrgan_bridge.runners import on_onnxruntime, on_openvino
from esrgan_bridge.runners.on_torch import TorchSession
from esrgan_torch.engines.openvino_import import import_openvino
from tests.bridge.conftest import make_rrdb


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "net"
    convert(make_rrdb(), folder, to="onnx", runners=[])
    return folder


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_float32_is_float32(name, made, need):
    need(name)
    report = recheck(made, [name])
    assert report.precision(name) == "float32"
    assert max(row.largest for row in report.rows) < 1e-5


def test_openvino_is_told(made, need, monkeypatch):
    """What it would take by itself is recorded as well, so a processor with bfloat16 shows."""
    need("openvino")
    options = import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    monkeypatch.setattr(on_openvino, "OPTIONS", {"INFERENCE_PRECISION_HINT": "bf16"})
    if "BF16" not in options:
        assert recheck(made, ["openvino"]).precision("openvino") == "float32"
        return
    with pytest.raises(ParityError, match="this runtime computes in bfloat16") as caught:
        recheck(made, ["openvino"])
    assert caught.value.report.precision("openvino") == "bfloat16"


def test_the_original_tells_of_a_variable_that_rounds(tiny_rrdb, monkeypatch):
    """PyTorch reads it when it is imported: it can be told, and no more be changed."""
    for name in ("ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE"):
        monkeypatch.delenv(name, raising=False)

    def precision(dtype: torch.dtype = torch.float32) -> str:
        with TorchSession(tiny_rrdb, dtype) as session:
            return session.facts[PRECISION]

    assert precision() == "float32"
    monkeypatch.setenv("DNNL_DEFAULT_FPMATH_MODE", "bf16")
    assert precision() == "float32 rounded to BF16 ($DNNL_DEFAULT_FPMATH_MODE)"
    assert precision(torch.float64) == "float64"
    monkeypatch.setenv("ONEDNN_DEFAULT_FPMATH_MODE", "STRICT")
    assert precision() == "float32"


def test_what_a_program_set_does_not_round_the_original(tiny_rrdb):
    batch = np.random.default_rng(0).random((1, 16, 16, 3), np.float32)
    conv = torch.backends.mkldnn.conv
    with TorchSession(tiny_rrdb, torch.float64) as exact:
        expected = exact.exact(batch)
    before = conv.fp32_precision
    conv.fp32_precision = "bf16"
    try:
        with TorchSession(tiny_rrdb, torch.float32) as session:
            found = session.run(batch)
    finally:
        conv.fp32_precision = before
    assert np.abs(found - expected).max() < 1e-5


def test_onnxruntime_tells_what_it_makes_of_float16(tiny_rrdb, tmp_path, need):
    """Most processors have no kernels for it: the graph that it runs has casts, and is looked at."""
    need("onnxruntime")
    report = convert(tiny_rrdb, tmp_path / "net", to="onnx", quantize="float16", runners=["onnxruntime"])
    told = report.precision("onnxruntime")
    assert told in ("float16", "float32, rounded to float16 between operators")
    assert f'<td data-label="Computes in">{told}</td>' in (tmp_path / "net" / "parity.html").read_text()


@pytest.mark.parametrize(
    ("weight", "told"),
    [(np.float16, "float16"), (np.float32, "float32, rounded to float16 between operators")],
)
def test_the_convolutions_tell(weight, told, tmp_path):
    """In a form of the runtime's own, and whatever else is float16: here a number behind a Cast."""
    make, half = onnx.helper.make_node, onnx.TensorProto.FLOAT16
    nodes = [
        make("Cast", ["number"], ["wide"], to=onnx.TensorProto.FLOAT),
        make("Conv", ["input", "weight"], ["large"], domain="com.microsoft.nchwc"),
        make("Cast", ["large"], ["output"], to=half),
    ]
    values = {"weight": np.zeros((1, 1, 1, 1), weight), "number": np.array(0.2, np.float16)}
    initializers = [onnx.numpy_helper.from_array(value, name) for name, value in values.items()]
    ports = [onnx.helper.make_tensor_value_info(name, half, [1, 1, 1, 1]) for name in ("input", "output")]
    graph = onnx.helper.make_graph(nodes, "rewritten", ports[:1], ports[1:], initializers)
    onnx.save(onnx.helper.make_model(graph), tmp_path / "rewritten.onnx")
    assert on_onnxruntime._precision(tmp_path / "rewritten.onnx") == told
