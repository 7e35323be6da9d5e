"""A check that cannot fail checks nothing: faults are planted in each step, and each must be named there."""

import base64
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from esrgan_bridge.chain import convert
from esrgan_bridge.errors import ParityError
from esrgan_bridge.export import torch_to_onnx
from esrgan_bridge.lowering import onnx_to_tf
from esrgan_bridge.lowering.lowered import LoweredGraph, Node
from esrgan_bridge.writers import graph_to_tensorflow, tf_to_tfjs
from tests.bridge.conftest import make_rrdb

Numbers = np.ndarray[Any, np.dtype[Any]]


def bias(values: Numbers) -> Numbers:
    changed = values.copy()
    changed[0] += 1e-2
    return changed


def swapped_channels(weight: Numbers) -> Numbers:
    """Of an HWIO kernel: two output channels change places."""
    return weight[..., [1, 0, *range(2, weight.shape[-1])]]


def transposed_kernel(weight: Numbers) -> Numbers:
    """Of an HWIO kernel: rows are columns."""
    return weight.transpose(1, 0, 2, 3)


# ---- in the ONNX file


def in_initializer(change: Callable[[Numbers], Numbers], suffix: str) -> Callable[[Any], None]:
    def plant(document: Any) -> None:
        tensor = next(entry for entry in document.graph.initializer if entry.name.endswith(suffix))
        values = onnx.numpy_helper.to_array(tensor)
        # ONNX's kernels are OIHW
        changed = (
            change(values.transpose(2, 3, 1, 0)).transpose(3, 2, 0, 1) if values.ndim == 4 else change(values)
        )
        tensor.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(changed), tensor.name))

    return plant


def onnx_slope(document: Any) -> None:
    node = next(node for node in document.graph.node if node.op_type == "LeakyRelu")
    node.attribute[0].f = 0.25


def onnx_resize(document: Any) -> None:
    node = next(node for node in document.graph.node if node.op_type == "Resize")
    del node.attribute[:]
    node.attribute.append(onnx.helper.make_attribute("mode", "linear"))
    node.attribute.append(onnx.helper.make_attribute("coordinate_transformation_mode", "half_pixel"))


@pytest.mark.parametrize(
    "plant",
    [
        pytest.param(in_initializer(bias, "body.0.rdb1.conv1.bias"), id="bias"),
        pytest.param(in_initializer(swapped_channels, "conv_last.weight"), id="swapped channels"),
        pytest.param(in_initializer(transposed_kernel, "body.0.rdb2.conv3.weight"), id="transposed kernel"),
        pytest.param(onnx_slope, id="slope"),
        pytest.param(onnx_resize, id="half-pixel resize"),
    ],
)
def test_in_onnx(plant, tiny_rrdb, tmp_path, monkeypatch):
    export = torch_to_onnx.export_onnx

    def broken(model: Any, path: Path, **options: Any) -> Path:
        export(model, path, **options)
        document = onnx.load(str(path))
        plant(document)
        onnx.save(document, str(path))
        return path

    monkeypatch.setattr(torch_to_onnx, "export_onnx", broken)
    with pytest.raises(
        ParityError, match=r"parity: step onnx, runner onnxruntime, probe \w+ \(\d+x\d+\): differs by"
    ):
        convert(tiny_rrdb, tmp_path / "net", to="onnx")
    assert not list(tmp_path.iterdir())


# ---- in the lowering


def in_constant(change: Callable[[Numbers], Numbers], part: str) -> Callable[[LoweredGraph], LoweredGraph]:
    def plant(graph: LoweredGraph) -> LoweredGraph:
        name = next(name for name in graph.constants if part in name)
        changed = np.ascontiguousarray(change(graph.constants[name]))
        return replace(graph, constants={**graph.constants, name: changed})

    return plant


def lowered_slope(graph: LoweredGraph) -> LoweredGraph:
    index = next(index for index, node in enumerate(graph.nodes) if "alpha" in node.attributes)
    nodes = list(graph.nodes)
    nodes[index] = replace(nodes[index], attributes={**nodes[index].attributes, "alpha": 0.25})
    return replace(graph, nodes=tuple(nodes))


def lowered_resize(graph: LoweredGraph) -> LoweredGraph:
    """The mean of each pixel and its right neighbour, as a resize that is half a pixel off gives."""
    index = next(index for index, node in enumerate(graph.nodes) if node.operation == "enlarge")
    node = graph.nodes[index]
    channels = graph.channels[node.name]
    kernel = np.zeros((3, 3, channels, channels), np.float32)
    kernel[1, 1] = kernel[1, 2] = np.eye(channels) / 2
    sharp = replace(node, name="sharp")
    inputs = ("sharp", "shift/weight", "shift/bias")
    shifted = Node("conv", node.name, inputs, {"stride": 1, "activation": "none"})
    return replace(
        graph,
        nodes=(*graph.nodes[:index], sharp, shifted, *graph.nodes[index + 1 :]),
        constants={**graph.constants, "shift/weight": kernel, "shift/bias": np.zeros(channels, np.float32)},
        channels={**graph.channels, "sharp": channels},
    )


LOWERED = [
    pytest.param(in_constant(bias, "conv1/bias"), id="bias"),
    pytest.param(in_constant(swapped_channels, "conv_last/weight"), id="swapped channels"),
    pytest.param(in_constant(transposed_kernel, "rdb2/conv3/weight"), id="transposed kernel"),
    pytest.param(lowered_slope, id="slope"),
    pytest.param(lowered_resize, id="half-pixel resize"),
]


def plant_in_lowering(plant: Callable[[LoweredGraph], LoweredGraph], monkeypatch: pytest.MonkeyPatch) -> None:
    lower = onnx_to_tf.lower
    monkeypatch.setattr(onnx_to_tf, "lower", lambda path: plant(lower(path)))


@pytest.mark.parametrize("plant", [LOWERED[0], LOWERED[2], LOWERED[4]])  # each takes seconds
def test_in_tensorflow(plant, tiny_rrdb, tmp_path, monkeypatch, need):
    need("tensorflow")
    plant_in_lowering(plant, monkeypatch)
    with pytest.raises(
        ParityError, match=r"parity: step tf, runner tensorflow, probe \w+ \(\d+x\d+\): differs by"
    ):
        convert(tiny_rrdb, tmp_path / "net", to="tf", runners=["onnxruntime", "tensorflow"])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("plant", LOWERED)
def test_in_tfjs_written_directly(plant, tiny_rrdb, tmp_path, monkeypatch, need):
    need("tfjs-node")
    plant_in_lowering(plant, monkeypatch)
    with pytest.raises(
        ParityError, match=r"parity: step tfjs, runner tfjs-node, probe \w+ \(\d+x\d+\): differs by"
    ):
        convert(tiny_rrdb, tmp_path / "net", route="direct", runners=["onnxruntime", "tfjs-node"])
    assert not list(tmp_path.iterdir())


# ---- in the files of TF.js


def tfjs_bias(folder: Path) -> None:
    """The first bias of the manifest, which lists the constants in the order of their bytes."""
    document = json.loads((folder / "model.json").read_text())
    (group,) = document["weightsManifest"]
    offset = 0
    for weight in group["weights"]:
        if weight["dtype"] == "float32" and len(weight["shape"]) == 1:
            break
        offset += 4 * int(np.prod(weight["shape"]))
    data = np.fromfile(folder / group["paths"][0], np.float32)
    data[offset // 4] += 1e-2
    data.tofile(folder / group["paths"][0])


def tfjs_slope(folder: Path) -> None:
    document = json.loads((folder / "model.json").read_text())
    # convolutions without one have an alpha too, which nothing reads
    fused = base64.b64encode(b"LeakyRelu").decode()
    node = next(
        node
        for node in document["modelTopology"]["node"]
        if fused in node.get("attr", {}).get("fused_ops", {}).get("list", {}).get("s", ())
    )
    node["attr"]["leakyrelu_alpha"]["f"] = 0.25
    (folder / "model.json").write_text(json.dumps(document))


@pytest.mark.parametrize("plant", [tfjs_bias, tfjs_slope, None])
def test_in_what_tensorflowjs_wrote(plant, by_route_tf, tmp_path, monkeypatch, need):
    need("tfjs-node")

    def copy_tf(graph: LoweredGraph, folder: Path, metadata: Any) -> None:
        shutil.copytree(by_route_tf / "tf", folder)

    def copy_tfjs(source: Path, folder: Path, *rest: Any) -> None:
        shutil.copytree(by_route_tf / "tfjs", folder)
        if plant:
            plant(folder)

    monkeypatch.setattr(graph_to_tensorflow, "write_saved_model", copy_tf)
    monkeypatch.setattr(tf_to_tfjs, "saved_model_to_tfjs", copy_tfjs)
    if plant is None:
        assert convert(make_rrdb(), tmp_path / "net", runners=["tfjs-node"]).passed
        return
    with pytest.raises(ParityError, match=r"step tfjs, runner tfjs-node, probe \w+ \(\d+x\d+\): differs by"):
        convert(make_rrdb(), tmp_path / "net", runners=["tfjs-node"])
    assert not list(tmp_path.iterdir())


# ---- between trunk and tail


def test_a_halo_that_is_too_small(tiny_rrdb, tmp_path, monkeypatch, need):
    need("tfjs-node")
    tiny_rrdb.tail_halo = 1
    with pytest.raises(
        ParityError, match=r"step tfjs split, runner tfjs-node, probe noise \(24x24\): differs by"
    ):
        convert(tiny_rrdb, tmp_path / "net", route="direct", runners=["tfjs-node"])
    assert not list(tmp_path.iterdir())
