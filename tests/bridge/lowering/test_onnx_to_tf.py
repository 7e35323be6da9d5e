"""What the lowering makes of a network, and what it refuses, by name."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from esrgan_bridge.errors import ArtifactError, ConversionError
from esrgan_bridge.export.torch_to_onnx import export_onnx
from esrgan_bridge.lowering.onnx_to_tf import lower
from tests.torch.networks import small_compact, small_rrdb, small_span


@pytest.fixture
def document(tmp_path):
    return onnx.load(str(export_onnx(small_rrdb(blocks=1, scale=2), tmp_path / "model.onnx")))


def lowered(document: onnx.ModelProto, folder: Path):
    onnx.save(document, str(folder / "changed.onnx"))
    return lower(folder / "changed.onnx")


def node_of(document: onnx.ModelProto, kind: str):
    return next(node for node in document.graph.node if node.op_type == kind)


def set_attribute(node, name: str, value) -> None:
    for entry in [entry for entry in node.attribute if entry.name == name]:
        node.attribute.remove(entry)
    node.attribute.append(helper.make_attribute(name, value))


def test_every_activation_is_part_of_its_convolution(tmp_path):
    rrdb = lower(export_onnx(small_rrdb(), tmp_path / "rrdb.onnx"))
    # 2 blocks of 3 dense blocks of 5 convolutions, and 6 outside, 4 of them in the tail
    assert rrdb.count() == {"conv": 36, "concat": 24, "add": 9, "multiply": 8, "enlarge": 2}
    compact = lower(export_onnx(small_compact(), tmp_path / "compact.onnx"))
    assert compact.count() == {"conv": 5, "concat": 1, "add": 1, "depth_to_space": 1}
    # a picture that is normalised by a convolution, 6 blocks of 3, and 4 outside; SiLU is x * sigmoid(x)
    span = lower(export_onnx(small_span(), tmp_path / "span.onnx"))
    counts = {"conv": 23, "sigmoid": 18, "multiply": 18, "add": 6, "subtract": 6}
    assert span.count() == {**counts, "concat": 1, "depth_to_space": 1}


def test_names(tmp_path):
    graph = lower(export_onnx(small_rrdb(), tmp_path / "model.onnx"))
    names = [node.name for node in graph.nodes]
    assert len(set(names)) == len(names)
    assert graph.input == "input"
    assert names[-1] == graph.output == "output"
    assert {"features", "body.1/rdb3/conv5/Conv"} <= set(names)
    assert graph.channels["features"] == 8
    # the residual weight 0.2 is kept once
    assert [name for name, value in graph.constants.items() if value.ndim == 0] == ["number"]


def test_order(tmp_path):
    graph = lower(export_onnx(small_compact(scale=1), tmp_path / "model.onnx"))
    known = {graph.input, *graph.constants}
    for node in graph.nodes:
        assert known.issuperset(node.inputs)
        known.add(node.name)


def test_another_operator_is_named(document, tmp_path):
    node = node_of(document, "LeakyRelu")
    node.op_type, node.name = "Elu", "the odd one"
    with pytest.raises(
        ConversionError, match=r"'the odd one' is a Elu; the lowering knows Add, Concat, Conv"
    ):
        lowered(document, tmp_path)


def test_fixed_size(document, tmp_path):
    for axis in (2, 3):
        document.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = 64
    with pytest.raises(ConversionError, match="fixed size 0x3x64x64; export it with dynamic"):
        lowered(document, tmp_path)
    sizes = document.graph.input[0].type.tensor_type.shape.dim
    sizes[0].dim_value = 2
    with pytest.raises(ConversionError, match="fixed size 2x3x64x64"):
        lowered(document, tmp_path)
    sizes[0].dim_value = 1
    graph = lowered(document, tmp_path)
    assert graph.size == (64, 64)
    assert graph.shapes()[graph.features][:3] == (1, 64, 64)
    assert graph.shapes()[graph.output][1] > 64


def test_wrong_channels(document, tmp_path):
    document.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 4
    with pytest.raises(ConversionError, match=r"conv_first/Conv' takes 3 channels, and 'input' has 4"):
        lowered(document, tmp_path)


@pytest.mark.parametrize(
    ("name", "value"), [("group", 2), ("dilations", [2, 2]), ("pads", [0, 0, 0, 0]), ("strides", [2, 2])]
)
def test_another_form_of_convolution(document, tmp_path, name, value):
    set_attribute(node_of(document, "Conv"), name, value)
    with pytest.raises(ConversionError, match="conv_first/Conv' is a convolution of another form"):
        lowered(document, tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("mode", "linear"), ("coordinate_transformation_mode", "half_pixel"), ("nearest_mode", "ceil")],
)
def test_another_form_of_resize(document, tmp_path, name, value):
    set_attribute(node_of(document, "Resize"), name, value)
    with pytest.raises(ConversionError, match="must enlarge to the nearest pixel"):
        lowered(document, tmp_path)


def test_resize_by_another_factor(document, tmp_path):
    name = node_of(document, "Resize").input[2]
    tensor = next(entry for entry in document.graph.initializer if entry.name == name)
    tensor.CopyFrom(onnx.numpy_helper.from_array(np.array([1, 1, 2, 3], np.float32), name))
    with pytest.raises(ConversionError, match="one constant whole factor"):
        lowered(document, tmp_path)


def test_concat_along_another_axis(document, tmp_path):
    set_attribute(node_of(document, "Concat"), "axis", 2)
    with pytest.raises(ConversionError, match="joins along axis 2"):
        lowered(document, tmp_path)


def test_depth_to_space_in_the_order_of_pytorch(tmp_path):
    document = onnx.load(str(export_onnx(small_compact(), tmp_path / "model.onnx")))
    set_attribute(node_of(document, "DepthToSpace"), "mode", "CRD")
    with pytest.raises(ConversionError, match="must be in mode DCR"):
        lowered(document, tmp_path)


@pytest.mark.parametrize("inputs", [("input", "half"), ("half", "input")])
def test_a_constant_is_taken_from_a_result_and_not_the_other_way(inputs, tmp_path):
    sides = [helper.make_tensor_value_info(name, 1, ["N", 2, "H", "W"]) for name in ("input", "output")]
    half = onnx.numpy_helper.from_array(np.array(0.5, np.float32), "half")
    nodes = [
        helper.make_node("Sigmoid", ["input"], ["features"], "gate"),
        helper.make_node(
            "Sub", [name.replace("input", "features") for name in inputs], ["output"], "centred"
        ),
    ]
    graph = helper.make_graph(nodes, "small", [sides[0]], [sides[1]], [half])
    document = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    if inputs[0] == "half":
        with pytest.raises(ConversionError, match="'centred' takes a result from a constant"):
            lowered(document, tmp_path)
    else:
        graph = lowered(document, tmp_path)
        assert [node.operation for node in graph.nodes] == ["sigmoid", "subtract"]
        assert graph.nodes[1].inputs == ("features", "number")


def test_no_features(document, tmp_path):
    for node in document.graph.node:
        for names in (node.input, node.output):
            names[:] = ["renamed" if name == "features" else name for name in names]
    with pytest.raises(ConversionError, match='no tensor is named "features"'):
        lowered(document, tmp_path)


def test_half_precision(tmp_path):
    """Its weights are widened, and nothing is left of its casts."""
    model = small_rrdb()
    half = lower(export_onnx(model, tmp_path / "half.onnx", dtype="float16"))
    whole = lower(export_onnx(model, tmp_path / "model.onnx"))
    assert half.count() == whole.count()
    assert [node.name for node in half.nodes] == [node.name for node in whole.nodes]
    for name, values in half.constants.items():
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, whole.constants[name].astype(np.float16))


def test_double_precision(document, tmp_path):
    document.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    with pytest.raises(ConversionError, match="'input' is neither float32 nor float16"):
        lowered(document, tmp_path)


def test_old_opset(document, tmp_path):
    document.opset_import[0].version = 9
    with pytest.raises((ConversionError, ArtifactError), match=r"opset 9|not a valid ONNX"):
        lowered(document, tmp_path)


def test_damaged_file(tmp_path):
    file = export_onnx(small_rrdb(), tmp_path / "model.onnx")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(ArtifactError, match="not a valid ONNX file"):
        lower(file)
