"""TensorFlow on the CPU, on a SavedModel, in a process of its own (`tensorflow_worker.py`)."""

import sys
from importlib.util import find_spec
from pathlib import Path

from esrgan_bridge.runners.base import Runner, Session
from esrgan_bridge.runners.worker import WorkerSession
from esrgan_torch.engines.strict import STRICT

# quieter, on the processor, by oneDNN as TensorFlow does by itself; and float32 is float32 there, whatever
# the user's own variables ask for
ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_ENABLE_ONEDNN_OPTS": "1",
    **STRICT,
}


class TensorFlow(Runner):
    """TensorFlow's CPU device."""

    name = "tensorflow"
    reads = "tf"

    def available(self) -> str | None:
        if find_spec("tensorflow") is None:
            return 'tensorflow is not installed: pip install "esrgan-torch[bridge]"'
        return None

    def open(self, artefact: Path) -> Session:
        worker = Path(__file__).with_name("tensorflow_worker.py")
        return WorkerSession(self.name, [sys.executable, str(worker), str(artefact)], ENVIRONMENT)
