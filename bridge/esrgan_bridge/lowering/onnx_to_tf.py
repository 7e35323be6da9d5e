"""ONNX to the NHWC operations of `lowered`, by the table of `operators`; another operator stops the work.

Layout is changed once, in the constants: no transposition is left between input and output. Zero
padding becomes that of the convolution itself. An activation right after a convolution becomes part of it.
"""

from pathlib import Path

from esrgan_bridge.errors import ArtifactError, ConversionError, MissingRuntimeError
from esrgan_bridge.export.half import widened
from esrgan_bridge.lowering.building import Lowering
from esrgan_bridge.lowering.lowered import LoweredGraph
from esrgan_bridge.lowering.operators import TABLE
from esrgan_bridge.options import OPSETS


def lower(path: Path) -> LoweredGraph:
    """Read an ONNX file as written by `export_onnx`, of float32 or float16 weights; the graph is float32.

    Raises:
        ArtifactError: not an ONNX file, or a damaged one.
        ConversionError: an operator or a form of one that is not in the table, a size that is fixed in
            part or of several pictures, another type than float32 or float16, or channels that do not fit;
            the message names the node.
        MissingRuntimeError: the package onnx is not installed.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise MissingRuntimeError('onnx is not installed: pip install "esrgan-torch[onnx]"') from error
    try:
        document = onnx.load(str(path))
        onnx.checker.check_model(document)
    except (DecodeError, onnx.checker.ValidationError) as error:
        raise ArtifactError(f"{path} is not a valid ONNX file: {error}") from error
    widened(document)
    opsets = {str(entry.domain): int(entry.version) for entry in document.opset_import}
    opset = opsets.get("", opsets.get("ai.onnx", 0))
    if opset not in OPSETS:
        raise ConversionError(
            f"{path} has ONNX opset {opset}; from {OPSETS.start} to {OPSETS.stop - 1} can be lowered"
        )
    return Lowering(document.graph).run(TABLE)
