"""OpenVINO on the exported ONNX file, on the CPU."""

from importlib.util import find_spec
from typing import Any

import numpy as np

from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_benchmarks.core.isa import BEYOND
from esrgan_benchmarks.runtimes.base import HostSession, Runtime, Session, Setting
from esrgan_bridge.parity.probes import Batch
from esrgan_torch.engines.openvino_import import import_openvino

HINTS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVino(Runtime):
    """openvino, compiled for one picture at a time and for the shape of the first one.

    Args:
        dtype: precision asked for; where the processor lacks it, OpenVINO takes float32, and the row says so.
    """

    needs = "onnx"

    def __init__(self, dtype: str) -> None:
        self.name = "openvino" if dtype == "float32" else f"openvino-{dtype}"
        self._dtype = dtype
        self.isas = ("avx2",) if dtype == "float32" else ()  # no AVX2 multiplies bfloat16

    def missing(self) -> str | None:
        if find_spec("openvino") is None:
            return 'openvino is not installed: pip install "esrgan-torch[openvino]"'
        return None

    def open(self, setting: Setting) -> Session:
        return _OpenVinoSession(setting, self._dtype)


class _OpenVinoSession(HostSession):
    def __init__(self, setting: Setting, dtype: str) -> None:
        openvino = import_openvino()
        self._core: Any = openvino.Core()
        if dtype == "bfloat16" and "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise BenchmarkError("this processor has no bfloat16 arithmetic")
        self._options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": HINTS[dtype],
            "INFERENCE_NUM_THREADS": setting.threads,
        }
        self._model: Any = self._core.read_model(setting.artefacts / "onnx" / "model.onnx")
        self._request: Any = None
        self.dtype = dtype
        self._isa = setting.isa
        self.facts = {"openvino": str(openvino.__version__).split("-")[0]}

    def feed(self, batch: Batch) -> None:
        values = np.ascontiguousarray(batch.transpose(0, 3, 1, 2))
        # a fixed shape lets it plan its memory and choose kernels
        self._model.reshape(list(values.shape))
        self._request = self._core.compile_model(self._model, "CPU", self._options).create_infer_request()
        self._request.get_input_tensor().data[:] = values
        if self._isa is not None:
            self._check_held(self._isa)

    def _check_held(self, isa: str) -> None:
        kernels: set[str] = set()
        for node in self._request.get_compiled_model().get_runtime_model().get_ops():
            facts = {key: str(node.get_rt_info()[key].astype(str)) for key in ("layerType", "primitiveType")}
            if facts["layerType"] != "DepthToSpace":  # it moves values, by what it likes
                kernels.add(facts["primitiveType"])
        beyond = sorted(name for name in kernels if any(word in name for word in BEYOND[isa]))
        if beyond:
            raise BenchmarkError(f"it could not be held to {isa.upper()}: it computes by {', '.join(beyond)}")

    def compute(self) -> None:
        self._request.infer()

    def answer(self) -> Batch:
        values = self._request.get_output_tensor().data
        return np.ascontiguousarray(values.transpose(0, 2, 3, 1), np.float32)
