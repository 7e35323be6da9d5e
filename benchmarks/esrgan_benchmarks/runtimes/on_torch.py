"""PyTorch itself: as published code runs it, and what its own switches gain."""

import shutil
import time
from typing import Any

import numpy as np

from esrgan_benchmarks.runtimes.base import Runtime, Session, Setting
from esrgan_bridge.parity.probes import Batch


class PyTorch(Runtime):
    """The network of this project, whose layers are those of the published code, in plain PyTorch.

    Args:
        name: of the runtime.
        channels_last: layout of weights and pictures; False: NCHW, PyTorch's own and the reference's.
        dtype: precision of the whole network.
        compiled: by torch.compile (inductor).
        devices: where it is compared.
    """

    def __init__(
        self,
        name: str,
        *,
        channels_last: bool = False,
        dtype: str = "float32",
        compiled: bool = False,
        devices: tuple[str, ...] = ("cpu", "cuda"),
    ) -> None:
        self.name = name
        self.devices = devices
        self._channels_last = channels_last
        self._dtype = dtype
        self.compiles = compiled
        self.isas = () if compiled else ("avx2",)

    def missing(self) -> str | None:
        if self.compiles and not any(map(shutil.which, ("c++", "g++", "clang++"))):
            return "torch.compile needs a C++ compiler: apt-get install g++"
        return None

    def open(self, setting: Setting) -> Session:
        return _TorchSession(setting, self._channels_last, self._dtype, self.compiles)


class _TorchSession(Session):
    def __init__(self, setting: Setting, channels_last: bool, dtype: str, compiled: bool) -> None:
        import torch

        from esrgan_weights import load

        torch.set_num_threads(setting.threads)
        self._torch: Any = torch
        self._device = torch.device(setting.device)
        self._form = torch.channels_last if channels_last else torch.contiguous_format
        self._precision = getattr(torch, dtype)
        network: Any = load(setting.network).to(self._device, self._precision)
        network.to(memory_format=self._form)
        self._network: Any = torch.compile(network) if compiled else network
        self.dtype = dtype
        self.facts = {"torch": torch.__version__}
        self._batch: Any = None
        self._result: Any = None

    def feed(self, batch: Batch) -> None:
        values = self._torch.from_numpy(batch).permute(0, 3, 1, 2)
        self._batch = values.to(self._device, self._precision).contiguous(memory_format=self._form)

    def run(self) -> float:
        with self._torch.inference_mode():
            if self._device.type == "cuda":
                return self._run_on_gpu()
            started = time.perf_counter()
            self._result = self._network(self._batch)
            return time.perf_counter() - started

    def _run_on_gpu(self) -> float:
        start, end = (self._torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        self._result = self._network(self._batch)
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1000

    def answer(self) -> Batch:
        values = self._result.permute(0, 2, 3, 1).float().cpu().numpy()
        return np.ascontiguousarray(values)

    def device_peak(self) -> int | None:
        return self._torch.cuda.max_memory_allocated() if self._device.type == "cuda" else None
