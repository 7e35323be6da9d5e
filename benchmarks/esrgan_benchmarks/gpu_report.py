"""Rows of a run on a GPU: written as they come, so that a run that is cut short has told what it knew."""

import datetime
import json
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
import triton

Row = dict[str, Any]


class Report:
    """Writes rows, keeps the time, and lets one section fail without the others.

    Args:
        path: file of the rows; it is appended to.
        seconds: for everything.
        device: where is measured; on the CPU each function is timed once.
    """

    def __init__(self, path: Path, seconds: float, device: torch.device) -> None:
        self._path = path
        self._end = time.monotonic() + seconds
        self.device = device
        self.failed: list[str] = []
        self._facts: Row = {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
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
            print(f"-- {name}: left out, {self.left():.0f} s left")
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

    def milliseconds(self, function: Callable[[], object], repeat: int = 60) -> float:
        """Median time of a call, measured for about `repeat` ms after as long a warm-up."""
        if self.device.type != "cuda":
            started = time.perf_counter()
            function()
            return (time.perf_counter() - started) * 1e3
        bench = cast("Callable[..., float]", triton.testing.do_bench)
        return round(bench(function, warmup=20, rep=repeat, return_mode="median"), 4)

    def peak_bytes(self, function: Callable[[], object]) -> int:
        """Device memory at its peak during a call, what was held before included."""
        if self.device.type != "cuda":
            function()
            return 0
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        function()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated()
