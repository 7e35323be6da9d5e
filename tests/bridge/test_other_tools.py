"""Tools of others take what is converted, and compute the same: each target in each that claims to."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from esrgan_bridge.artifact import read_metadata
from esrgan_bridge.chain import convert
from esrgan_bridge.export.torch_to_onnx import export_onnx
from esrgan_torch.engines.openvino_import import import_openvino
from tests.bridge.conftest import make_compact, make_rrdb
from tests.bridge.writers.test_graph_to_tfjs import environment, nhwc

NETWORKS = {"rrdb": lambda: make_rrdb(scale=2, unshuffle=2), "compact": make_compact}
KINDS = {"none": 1e-5, "float16": 1e-2}  # largest difference

# tensorflow prints and warns when it is imported, so it runs in a child; one child for all of its tools
TENSORFLOW_TOOLS = """
import sys, time
import numpy as np, tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.process_graph import prepare_graph_for_ui
from tensorflow.python.tools.import_pb_to_tensorboard import import_to_tensorboard
folder, question, answer, log = sys.argv[1:]
batch, answers = np.load(question), {}

def interpreter(**options):
    converter = tf.lite.TFLiteConverter.from_saved_model(folder, **options)
    return tf.lite.Interpreter(model_content=converter.convert())

whole = interpreter()
answers["output"] = whole.get_signature_runner("serving_default")(input=batch)["output"]
parts = interpreter(signature_keys=["trunk", "tail"])
features = parts.get_signature_runner("trunk")(input=batch)["features"]
answers["in parts"] = parts.get_signature_runner("tail")(features=features)["output"]

import_to_tensorboard(folder, log, "serve")
# a thread of TensorFlow's writes the log, and the tool gives no way to wait for it
until = time.monotonic() + 60
while not (events := EventAccumulator(log).Reload()).Tags()["graph"] and time.monotonic() < until:
    time.sleep(0.1)
graph = events.Graph()
prepare_graph_for_ui(graph)
answers["nodes"] = np.array([node.name.removeprefix("import/") for node in graph.node])
np.savez(answer, **answers)
"""


@pytest.fixture(scope="module", params=NETWORKS)
def network(request):
    return NETWORKS[request.param]()


@pytest.fixture(scope="module", params=KINDS)
def file(request, network, tmp_path_factory) -> Path:
    """An ONNX file of each network in each kind of weights."""
    folder = tmp_path_factory.mktemp("onnx") / "net"
    convert(network, folder, to="onnx", quantize=request.param, runners=[])
    return folder / "onnx" / "model.onnx"


@pytest.fixture
def check(network, file, rng) -> Callable[[Callable[[np.ndarray], np.ndarray]], None]:
    """Ask for two sizes of picture and compare with the network."""
    tolerance = KINDS[read_metadata(file).quantize]

    def ask(compute) -> None:
        for shape in ((2, 3, 6, 10), (1, 3, 16, 4)):
            batch = torch.rand(shape, generator=rng)
            found = torch.from_numpy(np.array(compute(batch.numpy())))
            torch.testing.assert_close(found, network(batch), rtol=0, atol=tolerance)

    return ask


def session(model: bytes | str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def test_onnxruntime_with_io_binding(file, check):
    """Numbers of the caller's own memory, in and out, as on a GPU."""
    loaded = session(str(file))

    def compute(batch):
        binding = loaded.io_binding()
        binding.bind_cpu_input("input", batch)
        binding.bind_output("output")
        loaded.run_with_iobinding(binding)
        return binding.copy_outputs_to_cpu()[0]

    check(compute)


def test_onnxsim(file, check, need):
    need("onnxsim")
    import onnxsim

    simple, same = onnxsim.simplify(str(file))
    assert same
    check(lambda batch: session(simple.SerializeToString()).run(["output"], {"input": batch})[0])
    onnx.save(simple, str(file.with_name("simple.onnx")))
    assert read_metadata(file.with_name("simple.onnx")) == read_metadata(file)


def test_onnxslim(file, check, need):
    need("onnxslim")
    import onnxslim

    slim = onnxslim.slim(str(file))
    check(lambda batch: session(slim.SerializeToString()).run(["output"], {"input": batch})[0])
    onnx.save(slim, str(file.with_name("slim.onnx")))
    assert read_metadata(file.with_name("slim.onnx")) == read_metadata(file)


def test_openvino_converts_it(file, check, need, tmp_path):
    """As the command ovc does: a file of its own kind, which is read again."""
    need("openvino")
    openvino = import_openvino()
    openvino.save_model(openvino.convert_model(str(file)), tmp_path / "model.xml", compress_to_fp16=False)
    compiled = openvino.Core().compile_model(
        tmp_path / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    check(lambda batch: compiled(batch)["output"])


def test_tensorboard_shows_an_onnx_file(tiny_compact, tmp_path, need):
    need("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_onnx_graph(str(export_onnx(tiny_compact, tmp_path / "model.onnx")))
    shown = {node.name for node in EventAccumulator(str(tmp_path)).Reload().Graph().node}
    assert {"input", "features", "output"} <= shown


def test_tensorflow_lite_and_tensorboard(by_route_tf, tmp_path, need, rng):
    need("tensorflow")
    need("tensorboard")
    batch = torch.rand((2, 3, 6, 10), generator=rng)
    expected = nhwc(make_rrdb()(batch))
    question, answer, log = (tmp_path / name for name in ("question.npy", "answer.npz", "log"))
    np.save(question, nhwc(batch).contiguous().numpy())
    command = [sys.executable, "-c", TENSORFLOW_TOOLS, *map(str, (by_route_tf / "tf", question, answer, log))]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr
    with np.load(answer) as arrays:
        for name in ("output", "in parts"):
            torch.testing.assert_close(torch.from_numpy(arrays[name]), expected, rtol=0, atol=1e-5)
        assert {"input", "features", "output"} <= set(arrays["nodes"])


def test_openvino_converts_a_saved_model(by_route_tf, tmp_path, need, rng):
    need("openvino")
    openvino = import_openvino()
    openvino.save_model(openvino.convert_model(str(by_route_tf / "tf")), tmp_path / "model.xml", False)
    compiled = openvino.Core().compile_model(
        tmp_path / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    batch = torch.rand((2, 3, 6, 10), generator=rng)
    found = torch.from_numpy(compiled(nhwc(batch).contiguous().numpy())["output"])
    torch.testing.assert_close(found, nhwc(make_rrdb()(batch)), rtol=0, atol=1e-5)
