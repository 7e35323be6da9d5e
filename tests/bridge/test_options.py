"""What may be asked of a conversion together; nothing is loaded or computed."""

import pytest

from esrgan_bridge.chain import convert
from esrgan_bridge.options import OPSETS, WEIGHTS, check_options
from esrgan_torch.errors import ConfigError
from esrgan_weights.errors import WeightsError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "coreml"}, "to must be one of onnx, tf, tfjs, tflite, not 'coreml'"),
        ({"to": "tflite", "quantize": "uint8"}, "uint8 goes with --to tfjs"),
        ({"to": "tfjs", "quantize": "int8"}, "int8 goes with --to tflite"),
        ({"to": "onnx", "quantize": "int8"}, "int8 with --to tflite"),
        ({"to": "tflite", "route": "direct"}, "SavedModel of the route tf, not by direct"),
        ({"to": "tflite", "route": "onnx-tf"}, "SavedModel of the route tf, not by onnx-tf"),
        ({"to": "tflite", "parts": True}, "go with --to onnx"),
        ({"to": "onnx", "shape": (0, 64)}, "of at least 1, not 0x64"),
        ({"to": "onnx", "shape": (64, 64), "parts": True}, "give one of the two"),
        ({"to": "onnx", "opset": OPSETS.start - 1}, f"must be {OPSETS.start} to {OPSETS.stop - 1}, not"),
        ({"to": "onnx", "opset": OPSETS.stop}, f"not {OPSETS.stop}"),
        ({"to": "tf", "route": "onnx-tf", "opset": 14}, "onnx-tf reads opsets up to 13, not 14"),
    ],
)
def test_refused(tmp_path, options, message):
    """Before the network is loaded: the file is not there."""
    with pytest.raises(ConfigError, match=message):
        convert(tmp_path / "absent.pth", tmp_path / "net", **options)
    with pytest.raises(WeightsError):
        convert(tmp_path / "absent.pth", tmp_path / "net", to="onnx")


def test_allowed():
    for to, kinds in WEIGHTS.items():
        for quantize in kinds:
            check_options(to, "auto", quantize, shape=(1, 7), opset=OPSETS.stop - 1)
    check_options("tf", "onnx-tf", "none", opset=13)
