"""Rows of a run on a GPU: written as they come, so that a run that is cut short has told what it knew."""

import datetime
import json
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import triton

Row = dict[str, Any]


class Report:
    """Writes rows, keeps the time, and lets one section fail without the others.

    Args:
        path: file of the rows; it is appended to.
        seconds: for everything.
        device: where is measured; on the CPU each function is timed once.
        facts: what every row says beside the machine: the run, the commit.
    """

    def __init__(self, path: Path, seconds: float, device: torch.device, facts: Row) -> None:
        self._path = path
        self._end = time.monotonic() + seconds
        self.device = device
        self.failed: list[str] = []
        cuda = device.type == "cuda"
        self._facts: Row = {
            **facts,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "gpu": torch.cuda.get_device_name(device) if cuda else None,
            "capability": list(torch.cuda.get_device_capability(device)) if cuda else [0, 0],
            "torch": torch.__version__,
            "triton": triton.__version__,
            "cuda": torch.version.cuda,
        }

    def left(self) -> float:
        """Seconds until the end."""
        return self._end - time.monotonic()

    def add(self, case: str, **values: Any) -> None:
        """Write and show a row."""
        row = {"case": case, **values}
        print("  ", json.dumps(row), flush=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**row, **self._facts}) + "\n")

    def section(self, name: str, needed: float, run: Callable[[], None]) -> None:
        """Run a section where `needed` seconds are left; what it raises is shown, and counted in `failed`."""
        if self.left() < needed:
            self.add("left out", section=name, seconds_left=round(self.left()))
            return
        print(f"== {name}, {self.left():.0f} s left", flush=True)
        try:
            run()
        except Exception:  # one that fails says so; the others still measure
            traceback.print_exc()
            self.failed.append(name)
            self.add("failed", section=name, error=traceback.format_exc(limit=-1))
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def warm(self, function: Callable[[], object]) -> None:
        """Call twice: compiles, searches, and captures what is captured the second time. Not on a CPU."""
        if self.device.type == "cuda":
            function()
            function()

    def milliseconds(self, function: Callable[[], object], total: float = 200.0) -> float:
        """Median time of calls that follow each other, for about `total` ms, after one to warm up."""
        if self.device.type != "cuda":
            return _seconds(function) * 1e3
        function()
        torch.cuda.synchronize()
        first = self._between_events([function])[0]
        count = min(max(int(total / max(first, 1e-3)), 3), 100)
        times = self._between_events([function] * count)
        return round(sorted(times)[len(times) // 2], 4)

    def graph_milliseconds(
        self, function: Callable[[], object], launches: int = 10, replays: int = 10
    ) -> float:
        """Median time of a call within a graph of `launches`: the device's work without Python's.

        The smallest layers take 10 to 20 microseconds, as long as Python takes to launch them.
        """
        if self.device.type != "cuda":
            return _seconds(function) * 1e3
        function()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for _ in range(launches):
                function()
        graph.replay()
        times = self._between_events([graph.replay] * replays)
        return round(sorted(times)[replays // 2] / launches, 5)

    def once_milliseconds(self, function: Callable[[], object]) -> float:
        """Time of a single call as its caller waits for it, until the device has done its work."""

        def finished() -> None:
            function()
            if self.device.type == "cuda":
                torch.cuda.synchronize()

        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return round(_seconds(finished) * 1e3, 3)

    def held_bytes(self) -> int:
        """Device memory that is taken now."""
        if self.device.type != "cuda":
            return 0
        torch.cuda.synchronize()
        return torch.cuda.memory_allocated()

    def peak_bytes(self, function: Callable[[], object], before: int) -> int:
        """Device memory at its peak during a call, beyond the `held_bytes` of before; 0 on a CPU."""
        if self.device.type != "cuda":
            return 0
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        function()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before

    @staticmethod
    def _between_events(functions: list[Callable[[], object]]) -> list[float]:
        """Milliseconds of each, one after the other on the current stream."""
        pairs = [
            (torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in functions
        ]
        for function, (start, end) in zip(functions, pairs, strict=True):
            start.record()
            function()
            end.record()
        torch.cuda.synchronize()
        return [start.elapsed_time(end) for start, end in pairs]


def _seconds(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started
