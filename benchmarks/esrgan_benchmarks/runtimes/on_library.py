"""This library: `Upscaler`, from 8-bit pixels to 8-bit pixels, with its defaults or by a given engine."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from esrgan_benchmarks.core.isa import BEYOND
from esrgan_benchmarks.runtimes.base import HostSession, Runtime, Session, Setting
from esrgan_bridge.parity.probes import Batch
from esrgan_torch.quantise import to_levels

if TYPE_CHECKING:
    from esrgan_torch.engines.choose import EngineName

Precision = Literal["auto", "float32"]


class Library(Runtime):
    """`Upscaler(model, device)`; it chooses precision and engine itself. A batch is so many pictures.

    Args:
        engine: "auto", "eager" for PyTorch alone, "native" for the project's own.
        dtype: "auto", or "float32", to compare in one precision where the library would take another; the
            native engine has no other.
    """

    devices = ("cpu", "cuda")

    def __init__(self, engine: "EngineName" = "auto", dtype: Precision = "auto") -> None:
        self.name = "-".join(["esrgan-torch", *(each for each in (engine, dtype) if each != "auto")])
        self._engine: EngineName = engine
        self._dtype: Precision = "float32" if engine == "native" else dtype
        # what it chooses by itself is for the processor that it sees
        self.isas = ("avx2",) if self._dtype == "float32" else ()
        if engine == "native":
            self.devices = ("cpu",)

    def missing(self) -> str | None:
        return None  # whether an engine runs here is known when it is opened

    def open(self, setting: Setting) -> Session:
        return _LibrarySession(setting, self._engine, self._dtype)


class _LibrarySession(HostSession):
    def __init__(self, setting: Setting, engine: "EngineName", dtype: Precision) -> None:
        import torch

        from esrgan_torch import Upscaler
        from esrgan_weights import load

        torch.set_num_threads(setting.threads)
        if setting.isa is not None:
            _hold_native(BEYOND[setting.isa])
        self._torch: Any = torch
        # "auto" where that is the device asked for: it may also choose an engine
        device = "auto" if setting.device == "cuda" or not torch.cuda.is_available() else setting.device
        self._upscaler = Upscaler(load(setting.network), device, dtype=dtype, engine=engine)
        self.dtype = str(self._upscaler.dtype).removeprefix("torch.")
        self.facts = {"torch": torch.__version__, "choice": self._upscaler.describe()}
        self._pictures: list[Any] = []
        self._results: list[Any] = []

    def feed(self, batch: Batch) -> None:
        self._pictures = list(to_levels(batch))

    def compute(self) -> None:
        self._results = [self._upscaler.upscale(picture) for picture in self._pictures]

    def answer(self) -> Batch:
        self.engine = self._results[0].engine
        levels = np.stack([result.picture.pixels for result in self._results])
        return levels.astype(np.float32) / np.float32(255)

    def device_peak(self) -> int | None:
        cuda = self._upscaler.device.type == "cuda"
        return self._torch.cuda.max_memory_allocated() if cuda else None


def _hold_native(beyond: tuple[str, ...]) -> None:
    """Hide from the native engine, in this process, the instructions that it would choose by itself."""
    from esrgan_torch.engines.native.library import Library

    every = Library.levels

    def levels(self: Library) -> dict[str, tuple[int, int]]:
        return {
            name: level
            for name, level in every(self).items()
            if not name.replace("-", "").lower().startswith(beyond)
        }

    Library.levels = levels
