"""LiteRT (formerly TensorFlow Lite) on the CPU, in a process of its own (`litert_worker.py`)."""

import sys
from importlib.util import find_spec
from pathlib import Path

from esrgan_bridge.runners.base import Runner, Session
from esrgan_bridge.runners.worker import WorkerSession

ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


class LiteRt(Runner):
    """LiteRT's interpreter, of the package ai-edge-litert where it is installed, else tensorflow's."""

    name = "litert"
    reads = "tflite"

    def available(self) -> str | None:
        if find_spec("ai_edge_litert") is None and find_spec("tensorflow") is None:
            return 'neither ai-edge-litert nor tensorflow is installed: pip install "esrgan-torch[bridge]"'
        return None

    def open(self, artefact: Path) -> Session:
        worker = Path(__file__).with_name("litert_worker.py")
        from esrgan_torch.engines.devices import threads  # PyTorch, which choosing runners does not need

        command = [sys.executable, str(worker), str(artefact), str(threads())]
        return WorkerSession(self.name, command, ENVIRONMENT)
