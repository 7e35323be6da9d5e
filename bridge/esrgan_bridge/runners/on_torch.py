"""The original: the PyTorch network itself, in this process."""

import copy
import os
from typing import cast

import numpy as np
import torch

from esrgan_bridge.parity.findings import PRECISION
from esrgan_bridge.parity.probes import Answer, Batch
from esrgan_bridge.runners.base import Session
from esrgan_torch.engines.computing import CPU, computing
from esrgan_torch.networks.base import Generator

FPMATH = ("ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE")  # the first one set counts
ROUNDED = ("BF16", "F16", "TF32", "ANY")


class TorchSession(Session):
    """The network in one type.

    Args:
        model: is not changed.
        dtype: torch.float32 or torch.float64.
    """

    def __init__(self, model: Generator, dtype: torch.dtype) -> None:
        self._model = copy.deepcopy(model).cpu().to(dtype).eval()
        self._dtype = dtype
        self.facts = {PRECISION: _precision(dtype), "torch": torch.__version__}

    def run(self, batch: Batch, feed: str = "input", fetch: str = "output") -> Batch:
        return self.exact(batch, feed, fetch).astype(np.float32)

    def exact(self, batch: Batch, feed: str = "input", fetch: str = "output") -> Answer:
        """As `run`, in the network's own type."""
        values = torch.from_numpy(batch).permute(0, 3, 1, 2).to(self._dtype)
        with torch.inference_mode(), computing(CPU):
            if feed == "input":
                values = self._model.trunk(values)
            if fetch == "output":
                values = self._model.tail(values)
        return np.ascontiguousarray(cast(Answer, values.permute(0, 2, 3, 1).numpy()))

    def close(self) -> None:
        del self._model


def _precision(dtype: torch.dtype) -> str:
    """What is computed in: oneDNN rounds float32 where a variable asks for it, and PyTorch lets it."""
    asked = next(((name, os.environ[name].upper()) for name in FPMATH if name in os.environ), ("", ""))
    rounded = dtype == torch.float32 and asked[1] in ROUNDED
    return f"float32 rounded to {asked[1]} (${asked[0]})" if rounded else str(dtype).removeprefix("torch.")
