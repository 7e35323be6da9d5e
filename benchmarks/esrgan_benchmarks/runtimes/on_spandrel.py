"""spandrel, the loader that chaiNNer and ComfyUI use: its own network classes, in PyTorch's NCHW float32."""

import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from esrgan_benchmarks.runtimes.base import HostSession, Runtime, Session, Setting
from esrgan_bridge.parity.probes import Batch


class Spandrel(Runtime):
    """`spandrel.ModelLoader` on a file of the layout that people have (BasicSR's)."""

    name = "spandrel"
    isas = ("avx2",)

    def missing(self) -> str | None:
        for package in ("spandrel", "torchvision"):
            if find_spec(package) is None:
                return f"{package} is not installed: pip install spandrel"
        return None

    def open(self, setting: Setting) -> Session:
        return _SpandrelSession(setting)


class _SpandrelSession(HostSession):
    def __init__(self, setting: Setting) -> None:
        import torch

        from esrgan_torch.metrics.torchvision_import import import_torchvision
        from esrgan_weights import load, save

        torch.set_num_threads(setting.threads)
        self._torch: Any = torch
        import_torchvision()
        spandrel: Any = import_module("spandrel")
        with tempfile.TemporaryDirectory() as folder:
            file = save(load(setting.network), Path(folder) / "network.pth", "basicsr")
            self._model: Any = spandrel.ModelLoader("cpu").load_from_file(file)
        self.facts = {"spandrel": str(spandrel.__version__), "torch": torch.__version__}
        self._batch: Any = None
        self._result: Any = None

    def feed(self, batch: Batch) -> None:
        self._batch = self._torch.from_numpy(batch).permute(0, 3, 1, 2).contiguous()

    def compute(self) -> None:
        with self._torch.inference_mode():
            self._result = self._model(self._batch)

    def answer(self) -> Batch:
        return np.ascontiguousarray(self._result.permute(0, 2, 3, 1).numpy())
