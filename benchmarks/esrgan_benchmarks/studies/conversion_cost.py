"""Time and peak memory of a conversion, without the runtimes that measure its copies.

    python -m esrgan_benchmarks conversion_cost [--networks NAME...] [--routes tf direct onnx-tf]

Each conversion runs in a process of its own; the peak is the largest sum of the resident memory of that
process and those that it starts (tensorflowjs, onnx-tf), sampled every 20 ms. It includes PyTorch and the
original's answers to the probes in float64.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from esrgan_benchmarks.core.measure import in_child
from esrgan_benchmarks.core.record import Row, append
from esrgan_bridge import convert
from esrgan_bridge.options import Route

SAMPLE = 0.02  # seconds


class ChildrenPeak:
    """Largest resident memory of all processes below this one while the block runs, in bytes: `peak`."""

    def __init__(self) -> None:
        self.peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "ChildrenPeak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while not self._done.wait(SAMPLE):
            total = 0
            for child in own.children(recursive=True):
                with suppress(psutil.Error):  # it may end while it is asked
                    total += child.memory_info().rss
            self.peak = max(self.peak, total)


def watched(function: Callable[..., Any], *given: Any) -> tuple[Any, int]:
    """What the function returns in a process of its own, and the peak of that process and its children."""
    with ChildrenPeak() as watch:
        result = in_child(function, *given)
    return result, watch.peak


def seconds_of(name: str, route: Route) -> Row:
    """Convert an official network to TF.js: seconds of every step and of the whole."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        report = convert(name, Path(folder) / "made", route=route, runners=[])
        whole = time.perf_counter() - started
    steps = {step.name: round(step.seconds, 2) for step in report.steps}
    return {"steps": steps, "seconds": round(sum(steps.values()), 2), "with_reference": round(whole, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", default=["realesrgan-x4plus"])
    parser.add_argument("--routes", nargs="+", default=["tf", "direct", "onnx-tf"])
    options = parser.parse_args()
    for name in options.networks:
        for route in options.routes:
            measured, peak = watched(seconds_of, name, route)
            row = {"network": name, "route": route, **measured, "peak": peak}
            print(row, flush=True)
            append("conversion_cost", [row])
