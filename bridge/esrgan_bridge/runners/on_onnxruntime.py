"""ONNX Runtime on the CPU, in this process."""

import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from esrgan_bridge.errors import RunnerError
from esrgan_bridge.probes import Batch
from esrgan_bridge.runners.base import PRECISION, Runner, Session

# on Arm it multiplies in bfloat16 where it is asked to; not here
EXACT = {"mlas.enable_gemm_fastmath_arm64_bfloat16": "0"}


class OnnxRuntime(Runner):
    """onnxruntime's CPU provider."""

    name = "onnxruntime"
    reads = "onnx"

    def available(self) -> str | None:
        if find_spec("onnxruntime") is None:
            return 'onnxruntime is not installed: pip install "esrgan-torch[onnx]"'
        return None

    def open(self, artefact: Path) -> Session:
        return _OnnxSession(artefact)


class _OnnxSession(Session):
    def __init__(self, file: Path) -> None:
        runtime: Any = import_module("onnxruntime")
        runtime.disable_telemetry_events()  # on Windows its makers build it with some
        try:
            with tempfile.TemporaryDirectory(prefix="esrgan-ort-") as folder:
                rewritten = Path(folder) / "rewritten.onnx" if _holds_float16(file) else None
                self._session: Any = runtime.InferenceSession(
                    str(file), _options(runtime, rewritten), providers=["CPUExecutionProvider"]
                )
                precision = _precision(rewritten) if rewritten else "float32"
        except Exception as error:  # its own classes share no base but Exception
            raise RunnerError(f"onnxruntime cannot load {file}: {error}") from error
        self.facts = {PRECISION: precision, "onnxruntime": str(runtime.__version__)}

    def run(self, batch: Batch, feed: str = "input", fetch: str = "output") -> Batch:
        declared = {value.name: value.type for value in self._session.get_inputs()}
        if feed not in declared:
            raise RunnerError(f"the ONNX file has no input {feed!r}, but {', '.join(declared)}")
        numbers = np.float16 if "float16" in declared[feed] else np.float32
        try:
            (answer,) = self._session.run([fetch], {feed: batch.transpose(0, 3, 1, 2).astype(numbers)})
        except Exception as error:
            raise RunnerError(f"onnxruntime: {error}") from error
        return np.ascontiguousarray(answer.transpose(0, 2, 3, 1), np.float32)

    def close(self) -> None:
        del self._session


def _options(runtime: Any, rewritten: Path | None) -> Any:
    """How a session is opened; it writes the graph that it makes of the file to `rewritten`."""
    options: Any = runtime.SessionOptions()
    options.log_severity_level = 3  # errors; warnings speak of optimisations that it could not do
    for name, value in EXACT.items():
        options.add_session_config_entry(name, value)
    if rewritten:
        options.optimized_model_filepath = str(rewritten)
    return options


def _holds_float16(file: Path) -> bool:
    """Whether the file has weights in float16, as far as it can be read."""
    import onnx

    document = onnx.load(str(file))
    return any(entry.data_type == onnx.TensorProto.FLOAT16 for entry in document.graph.initializer)


def _precision(rewritten: Path) -> str:
    """What a file with weights in float16 is computed in: on most processors float32, between casts."""
    import onnx

    if _holds_float16(rewritten):
        return "float16"
    nodes = onnx.load(str(rewritten)).graph.node
    casts = (
        onnx.helper.get_attribute_value(node.attribute[0]) == onnx.TensorProto.FLOAT16
        for node in nodes
        if node.op_type == "Cast"
    )
    return "float32, rounded to float16 between operators" if any(casts) else "float32"
