"""The original: the PyTorch network itself, in this process."""

import copy
from typing import cast

import numpy as np
import torch

from esrgan_bridge.probes import Answer, Batch
from esrgan_bridge.runners.base import Session
from esrgan_torch.networks.base import Generator


class TorchSession(Session):
    """The network in one type.

    Args:
        model: is not changed.
        dtype: torch.float32 or torch.float64.
    """

    def __init__(self, model: Generator, dtype: torch.dtype) -> None:
        self._model = copy.deepcopy(model).cpu().to(dtype).eval()
        self._dtype = dtype
        self.facts = {"torch": torch.__version__}

    def run(self, batch: Batch, feed: str = "input", fetch: str = "output") -> Batch:
        return self.exact(batch, feed, fetch).astype(np.float32)

    def exact(self, batch: Batch, feed: str = "input", fetch: str = "output") -> Answer:
        """As `run`, in the network's own type."""
        values = torch.from_numpy(batch).permute(0, 3, 1, 2).to(self._dtype)
        with torch.inference_mode():
            if feed == "input":
                values = self._model.trunk(values)
            if fetch == "output":
                values = self._model.tail(values)
        return np.ascontiguousarray(cast(Answer, values.permute(0, 2, 3, 1).numpy()))

    def close(self) -> None:
        del self._model
