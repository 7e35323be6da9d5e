"""What the project's kernels and PyTorch's operators have in common when a CUDA graph runs them."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import torch


def capture(launch: Callable[[], object], pool: Any = None) -> torch.cuda.CUDAGraph:
    """What `launch` does on the current device, as a graph that has not run yet.

    Other threads may use the device meanwhile: what they do is not part of it and does not break it.

    Args:
        launch: launches kernels on the current stream and waits for nothing.
        pool: memory for what it allocates, of `torch.cuda.graph_pool_handle`; None: a pool of its own.

    Raises:
        RuntimeError: it did what no graph can hold; torch.OutOfMemoryError among them.
    """
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
        launch()
    return graph


class Turns:
    """Memory on a device that several callers share, one at a time, whatever their threads and streams.

    Args:
        device: of the memory; on others than CUDA a lock is enough.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._lock = threading.Lock()
        self._last: torch.cuda.Event | None = None

    @contextmanager
    def turn(self) -> Generator[None]:
        """What is launched within it begins when what was launched in the turns before has ended."""
        with self._lock:
            if self._device.type != "cuda":
                yield
                return
            stream = torch.cuda.current_stream(self._device)
            if self._last is not None:
                stream.wait_event(self._last)
            try:
                yield
            finally:
                self._last = torch.cuda.Event()
                self._last.record(stream)
