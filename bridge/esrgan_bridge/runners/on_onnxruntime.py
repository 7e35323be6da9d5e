"""ONNX Runtime on the CPU, in this process."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from esrgan_bridge.errors import RunnerError
from esrgan_bridge.export.parts import TAIL, TRUNK
from esrgan_bridge.parity.findings import PRECISION
from esrgan_bridge.parity.probes import Batch
from esrgan_bridge.runners.base import Runner, Session
from esrgan_torch.storage.leftovers import temporary_folder

FEATURES = "features"
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
        self._runtime, self._file = runtime, file
        self._parts: dict[str, Any] = {}
        with temporary_folder("ort") as folder:
            rewritten = folder / "rewritten.onnx" if _holds_float16(file) else None
            self._session: Any = self._load(file, rewritten)
            precision = _precision(rewritten) if rewritten else "float32"
        self.facts = {PRECISION: precision, "onnxruntime": str(runtime.__version__)}

    def run(self, batch: Batch, feed: str = "input", fetch: str = "output") -> Batch:
        session = self._session
        if FEATURES in (feed, fetch):
            session = self._part(TAIL if feed == FEATURES else TRUNK)
        try:
            (port,) = session.get_inputs()
            numbers = np.float16 if "float16" in port.type else np.float32
            (answer,) = session.run([fetch], {feed: batch.transpose(0, 3, 1, 2).astype(numbers)})
        except Exception as error:
            raise RunnerError(f"onnxruntime: {error}") from error
        return np.ascontiguousarray(answer.transpose(0, 2, 3, 1), np.float32)

    def close(self) -> None:
        del self._session
        self._parts.clear()

    def _part(self, name: str) -> Any:
        """The session of trunk or tail, which are files beside the whole."""
        if name not in self._parts:
            self._parts[name] = self._load(self._file.with_name(name))
        return self._parts[name]

    def _load(self, file: Path, rewritten: Path | None = None) -> Any:
        try:
            return self._runtime.InferenceSession(
                str(file), _options(self._runtime, rewritten), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its own classes share no base but Exception
            raise RunnerError(f"onnxruntime cannot load {file}: {error}") from error


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
    """Whether the file has weights in float16; what is no ONNX file has none, as the runtime will say."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        document = onnx.load(str(file))
    except (DecodeError, OSError):
        return False
    return any(entry.data_type == onnx.TensorProto.FLOAT16 for entry in document.graph.initializer)


def _precision(rewritten: Path) -> str:
    """What a file with weights in float16 is computed in: on most processors float32, between casts.

    The convolutions of the graph that the runtime made of it tell, plain or in a form of its own: a weight
    that is float16 itself is multiplied as such, and one behind a Cast is not.
    """
    import onnx

    graph = onnx.load(str(rewritten)).graph
    half = {entry.name for entry in graph.initializer if entry.data_type == onnx.TensorProto.FLOAT16}
    if any(node.op_type.endswith("Conv") and node.input[1] in half for node in graph.node):
        return "float16"
    casts = (
        onnx.helper.get_attribute_value(node.attribute[0]) == onnx.TensorProto.FLOAT16
        for node in graph.node
        if node.op_type == "Cast"
    )
    return "float32, rounded to float16 between operators" if any(casts) else "float32"
