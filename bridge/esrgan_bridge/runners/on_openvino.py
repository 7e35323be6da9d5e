"""OpenVINO on the CPU, in this process, on the ONNX file."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from esrgan_bridge.errors import RunnerError
from esrgan_bridge.parity.findings import PRECISION
from esrgan_bridge.parity.probes import Batch
from esrgan_bridge.runners.base import Runner, Session
from esrgan_torch.engines.openvino_import import import_openvino

# by itself it takes bfloat16 or float16 where the processor has it, for float32 files too
OPTIONS = {"INFERENCE_PRECISION_HINT": "f32"}
NAMES = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}


class OpenVino(Runner):
    """openvino's CPU plugin, in float32."""

    name = "openvino"
    reads = "onnx"

    def available(self) -> str | None:
        if find_spec("openvino") is None:
            return 'openvino is not installed: pip install "esrgan-torch[openvino]"'
        return None

    def open(self, artefact: Path) -> Session:
        return _OpenVinoSession(artefact)


class _OpenVinoSession(Session):
    def __init__(self, file: Path) -> None:
        try:
            openvino = import_openvino()
            self._compiled: Any = openvino.Core().compile_model(str(file), "CPU", OPTIONS)
            taken = str(self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
        except Exception as error:  # its own classes share no base but Exception
            raise RunnerError(f"openvino cannot load {file}: {error}") from error
        version = str(openvino.__version__).split("-")[0]
        self.facts = {PRECISION: NAMES.get(taken, taken), "openvino": version}

    def run(self, batch: Batch, feed: str = "input", fetch: str = "output") -> Batch:
        try:
            (port,) = self._compiled.inputs
            values = np.ascontiguousarray(batch.transpose(0, 3, 1, 2), port.element_type.to_dtype())
            answer: Any = self._compiled({feed: values})[fetch]
        except Exception as error:
            raise RunnerError(f"openvino: {error}") from error
        return np.ascontiguousarray(answer.transpose(0, 2, 3, 1), np.float32)

    def close(self) -> None:
        del self._compiled
