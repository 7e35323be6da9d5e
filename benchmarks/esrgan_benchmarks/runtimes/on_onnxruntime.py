"""ONNX Runtime on the exported file: its CPU provider, or CUDA's where the installed build has it."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_benchmarks.runtimes.base import HostSession, Runtime, Session, Setting
from esrgan_bridge.parity.probes import Batch

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxRuntime(Runtime):
    """onnxruntime; on CUDA the times include both ways between host and device, a few ms a megapixel."""

    name = "onnxruntime"
    needs = "onnx"
    devices = ("cpu", "cuda")

    def missing(self) -> str | None:
        if find_spec("onnxruntime") is None:
            return 'onnxruntime is not installed: pip install "esrgan-torch[onnx]"'
        return None

    def open(self, setting: Setting) -> Session:
        return _OnnxSession(setting)


class _OnnxSession(HostSession):
    def __init__(self, setting: Setting) -> None:
        runtime: Any = import_module("onnxruntime")
        runtime.disable_telemetry_events()  # on Windows its makers build it with some
        provider = PROVIDERS[setting.device]
        if provider not in runtime.get_available_providers():
            raise BenchmarkError(f"this build has no {provider}: pip install onnxruntime-gpu")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = setting.threads
        options.log_severity_level = 3  # errors; warnings speak of optimisations that it could not do
        # its threads would go on spinning while other runtimes have their turn
        options.add_session_config_entry("session.force_spinning_stop", "1")
        file = setting.artefacts / "onnx" / "model.onnx"
        self._session: Any = runtime.InferenceSession(str(file), options, providers=[provider])
        self.facts = {"onnxruntime": str(runtime.__version__)}
        self._batch: Any = None
        self._result: Any = None

    def feed(self, batch: Batch) -> None:
        self._batch = np.ascontiguousarray(batch.transpose(0, 3, 1, 2))

    def compute(self) -> None:
        (self._result,) = self._session.run(["output"], {"input": self._batch})

    def answer(self) -> Batch:
        return np.ascontiguousarray(self._result.transpose(0, 2, 3, 1))
