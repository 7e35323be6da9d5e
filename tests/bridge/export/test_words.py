"""What a viewer shows of an ONNX file."""

import onnx

from esrgan_bridge.export.parts import part_files
from esrgan_bridge.export.torch_to_onnx import export_onnx
from esrgan_torch.networks.base import Provenance
from tests.bridge.conftest import make_compact, make_rrdb


def test_the_texts_of_a_file(tmp_path):
    model = make_rrdb(scale=2, unshuffle=2)
    model.provenance = Provenance("some-weights", "basicsr", "ab" * 32, "BSD-3-Clause")
    file = export_onnx(model, tmp_path / "model.onnx", parts=True)
    whole, trunk, tail = (onnx.load(str(path)) for path in (file, *part_files(file)))
    assert (whole.producer_name, whole.graph.name) == ("esrgan-torch", "some-weights")
    assert whole.doc_string == whole.graph.doc_string
    assert whole.doc_string.startswith(
        "some-weights: RRDBNet, enlarges a picture 2 times; the whole network."
    )
    assert "Licence of the weights: BSD-3-Clause." in whole.doc_string
    assert "run it on the whole picture" in trunk.doc_string
    assert "in tiles" not in whole.doc_string
    assert "tiles of the features, with a margin of 2" in tail.doc_string
    texts = [
        value.doc_string
        for document in (whole, tail)
        for value in (*document.graph.input, *document.graph.output)
    ]
    assert texts == [
        "(N, 3, H, W) float32: red, green, blue, 0 is black and 1 is white; H and W are multiples of 2",
        "(N, 3, 2*H, 2*W) float32: red, green, blue, 0 is black and 1 is white; values beyond occur: cut "
        "them off before they become a picture",
        "(N, 8, h, w) float32: features of the trunk, one for 2x2 pixels of the picture",
        "(N, 3, 4*h, 4*w) float32: red, green, blue, 0 is black and 1 is white; values beyond occur: cut "
        "them off before they become a picture",
    ]


def test_gray_restoration_and_weights_of_no_known_licence(tmp_path):
    file = export_onnx(make_rrdb(scale=1, in_channels=1, out_channels=1), tmp_path / "model.onnx")
    document = onnx.load(str(file))
    assert "unnamed: RRDBNet, restores a picture; " in document.doc_string
    assert "Licence of the weights: not known." in document.doc_string
    assert document.graph.input[0].doc_string == "(N, 1, H, W) float32: gray, 0 is black and 1 is white"


def test_the_order_of_a_compact_network_is_told(tmp_path):
    file = export_onnx(make_compact(), tmp_path / "model.onnx", parts=True)
    (port,) = onnx.load(str(part_files(file)[1])).graph.input
    assert port.doc_string.endswith("one for 1x1 pixels of the picture, in the order row, column, colour")
