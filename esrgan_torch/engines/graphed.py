"""Small pictures on CUDA: the trunk of PyTorch's engines, replayed from graphs."""

from torch import Tensor

from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.cuda_graphs import Turns
from esrgan_torch.engines.replay import Replay
from esrgan_torch.watch import Progress

SMALL = 192 * 192  # feature pixels: from about here on launching is faster than computing


class GraphedEngine(Engine):
    """Another engine; the trunk of a small picture is replayed when its size comes again.

    Tails are few launches of much work, and gain nothing.

    Args:
        inner: computes with PyTorch on a CUDA device.
    """

    def __init__(self, inner: Engine) -> None:
        self.device = inner.device
        self.dtype = inner.dtype
        self.scale = inner.scale
        self.unshuffle = inner.unshuffle
        self.inner = inner
        self._turns = Turns(inner.device)
        self._trunks = Replay(lambda batch: inner.trunk(batch, _untold))

    def _trunk(self, batch: Tensor, progress: Progress) -> Tensor:
        if batch.shape[-2] * batch.shape[-1] > SMALL * self.unshuffle**2:
            return self.inner.trunk(batch, progress)
        with self._turns.turn():
            features = self._trunks(batch)
        progress(1.0)
        return features

    def _tail(self, features: Tensor) -> Tensor:
        return self.inner.tail(features)

    def trunk_bytes(self, height: int, width: int) -> int:
        return self.inner.trunk_bytes(height, width)

    def tail_bytes(self, height: int, width: int) -> int:
        return self.inner.tail_bytes(height, width)

    def shrink(self) -> bool:
        """Graphs give their memory up first."""
        with self._turns.turn():
            held = self._trunks.clear()
        return held or self.inner.shrink()


def _untold(_: float) -> None:
    """A graph has no place for progress."""
