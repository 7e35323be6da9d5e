"""ONNX Runtime on the CPU, in this process."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from esrgan_bridge.errors import RunnerError
from esrgan_bridge.probes import Batch
from esrgan_bridge.runners.base import Runner, Session


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
        options = runtime.SessionOptions()
        options.log_severity_level = 3  # errors; warnings speak of optimisations that it could not do
        try:
            self._session: Any = runtime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its own classes share no base but Exception
            raise RunnerError(f"onnxruntime cannot load {file}: {error}") from error
        self.facts = {"onnxruntime": str(runtime.__version__)}

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
