"""The serving recipe: its program computes, and its configurations fit the files that they are for."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest

from esrgan_bridge.export.torch_to_onnx import export_onnx
from esrgan_torch import Upscaler
from esrgan_torch.networks.rrdb import RRDBNet
from tests.bridge.conftest import lacking, make_compact, make_rrdb

ROOT = Path(__file__).parents[2]
SERVING = ROOT / "examples" / "serving"
PARTS = {"esrgan": "model.onnx", "esrgan_trunk": "trunk.onnx", "esrgan_tail": "tail.onnx"}
TYPES = {"TYPE_FP32": onnx.TensorProto.FLOAT}


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("serving_enlarge", SERVING / "enlarge.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "make", [lambda: make_rrdb(scale=2, unshuffle=2), make_compact], ids=["rrdb", "compact"]
)
@pytest.mark.parametrize("tile", [5, 128])
def test_its_tiles_are_exact(program, make, tile, tmp_path, monkeypatch):
    """Several tiles a side with margins, at a size that nothing divides."""
    model = make()
    export_onnx(model, tmp_path / "model.onnx", parts=True)
    monkeypatch.setattr(program, "TILE", tile)
    picture = np.random.default_rng(0).integers(0, 256, (27, 33, 3), np.uint8)
    found = program.Enlarger(tmp_path)(picture)
    padded = np.pad(picture, ((0, -27 % model.unshuffle), (0, -33 % model.unshuffle), (0, 0)), "edge")
    expected = Upscaler(model, "cpu", dtype="float32", engine="eager")(padded)
    expected = expected[: 27 * model.scale, : 33 * model.scale]
    assert found.dtype == np.uint8
    difference = np.abs(found.astype(int) - expected)
    assert difference.max() <= 1  # a value in the middle between two levels
    assert difference.mean() < 1e-3


def test_it_needs_nothing_else():
    """Of what it imports, the Dockerfile installs all, in the versions that the project is measured with."""
    imported = set(re.findall(r"^(?:import|from) (\w+)", (SERVING / "enlarge.py").read_text(), re.M))
    assert imported - set(sys.stdlib_module_names) == {"numpy", "onnxruntime", "PIL"}
    versions = re.findall(r"(\w+)==([\d.]+)", (SERVING / "Dockerfile").read_text())
    pinned = dict(re.findall(r"^([\w-]+)==([\d.]+)$", (ROOT / "constraints.txt").read_text(), re.M))
    assert {name for name, _ in versions} == {"numpy", "onnxruntime", "pillow"}
    assert all(pinned[name] == version for name, version in versions)


def test_the_dockerfile_is_linted(tmp_path):
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if hadolint is None:
        lacking("hadolint is not installed")
    lint = [hadolint, "--no-color", "--failure-threshold", "style"]
    done = subprocess.run([*lint, SERVING / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN pip install numpy\n")
    done = subprocess.run([*lint, tmp_path / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 1


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """Of a network with the sizes of realesrgan-x4plus, but fewer blocks, which no port shows."""
    folder = tmp_path_factory.mktemp("files")
    export_onnx(RRDBNet(blocks=1), folder / "model.onnx", parts=True)
    return folder


@pytest.mark.parametrize("name", PARTS)
def test_triton_configurations(name, files):
    """By Triton's own schema, and they fit the files: names, types, sizes, and a batch of any number."""
    pytest.importorskip("tritonclient")
    from google.protobuf import text_format
    from tritonclient.grpc import model_config_pb2

    text = (SERVING / "triton" / name / "config.pbtxt").read_text()
    config = text_format.Parse(text, model_config_pb2.ModelConfig())
    assert (config.name, config.backend) == (name, "onnxruntime")
    graph = onnx.load(str(files / PARTS[name])).graph
    for configured, ports in ((config.input, graph.input), (config.output, graph.output)):
        assert [port.name for port in configured] == [port.name for port in ports]
        for port, value in zip(configured, ports, strict=True):
            kind = model_config_pb2.DataType.Name(port.data_type)
            assert TYPES[kind] == value.type.tensor_type.elem_type
            batch, *sizes = value.type.tensor_type.shape.dim
            assert bool(batch.dim_param) == (config.max_batch_size > 0)
            assert list(port.dims) == [size.dim_value or -1 for size in sizes]


def test_the_shapes_for_tensorrt_fit(files):
    text = (ROOT / "docs" / "serving.md").read_text()
    shapes = dict(re.findall(r"--(min|opt|max)Shapes=(\S+)", text))
    assert list(shapes) == ["min", "opt", "max"]
    (port,) = onnx.load(str(files / "model.onnx")).graph.input
    sizes = []
    for shape in shapes.values():
        name, _, numbers = shape.partition(":")
        assert name == port.name
        sizes.append([int(number) for number in numbers.split("x")])
    known = [size.dim_value for size in port.type.tensor_type.shape.dim]
    for least, best, most, fixed in zip(*sizes, known, strict=True):
        assert least <= best <= most
        assert not fixed or least == best == most == fixed
