"""A session whose runtime is JavaScript: a Node process, and the browser that it drives."""

from collections.abc import Sequence

import numpy as np

from esrgan_benchmarks.core.measure import peak_memory_of_descendants
from esrgan_benchmarks.runtimes.base import Session
from esrgan_bridge.parity.probes import Batch
from esrgan_bridge.runners.worker import WorkerSession


class WebSession(Session):
    """The time is JavaScript's own, from the numbers in its memory to the result's; memory that of all
    processes together.

    Args:
        name: of the runtime, for messages.
        command: the Node process; it answers as the bridge's runners do, and adds "seconds".
    """

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self._worker = WorkerSession(name, command)
        self.facts = self._worker.facts
        self._batch: Batch = np.zeros((1, 1, 1, 3), np.float32)
        self._result: Batch = self._batch

    def feed(self, batch: Batch) -> None:
        self._batch = batch

    def run(self) -> float:
        self._result = self._worker.run(self._batch)
        return float(self._worker.answer["seconds"])

    def answer(self) -> Batch:
        return self._result

    def peak(self) -> int:
        return peak_memory_of_descendants()

    def close(self) -> None:
        self._worker.close()
