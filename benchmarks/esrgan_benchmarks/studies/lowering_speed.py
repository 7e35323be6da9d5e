"""TensorFlow on the graph of our lowering beside the graph that onnx-tf makes, of the same ONNX file.

    python -m esrgan_benchmarks lowering_speed --folder FOLDER [--network NAME] [--sizes PX...] [--rounds N]

FOLDER keeps the converted graphs; those that are there already are used. Both graphs run in one process on
the same picture, in turn.
"""

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_benchmarks.core.measure import Spread, in_child, interleave, ratio, stopwatch
from esrgan_benchmarks.core.record import Row, append
from esrgan_bridge import convert
from esrgan_bridge.artifact import read_metadata
from esrgan_bridge.options import Route

ROUTES: tuple[Route, ...] = ("tf", "onnx-tf")
TOLERANCE = 1e-4  # of values in [0, 1]; a faster graph that computes something else is no comparison
Picture = NDArray[np.float32]


def opened(folder: Path) -> Callable[[Picture], Picture]:
    """A SavedModel as a function of (1, H, W, C) float32."""
    tensorflow: Any = import_module("tensorflow")
    graph = tensorflow.saved_model.load(str(folder)).signatures["serving_default"]
    swap = read_metadata(folder).layout == "NCHW"

    def run(batch: Picture) -> Picture:
        given = tensorflow.constant(batch.transpose(0, 3, 1, 2) if swap else batch)
        (result,) = graph(input=given).values()
        values: Picture = result.numpy()
        return values.transpose(0, 2, 3, 1) if swap else values

    return run


def compare(graphs: Mapping[str, Callable[[Picture], Picture]], batch: Picture, rounds: int) -> Row:
    """Times of both graphs, in turn, and by how much the first one is faster.

    Raises:
        ValueError: they compute different things.
    """
    ours, other = graphs
    difference = float(np.abs(graphs[ours](batch) - graphs[other](batch)).max())
    if not difference <= TOLERANCE:
        raise ValueError(f"the graphs {ours} and {other} differ by {difference:.1e}")
    cases = {name: stopwatch(partial(run, batch)) for name, run in graphs.items()}
    seconds = interleave(cases, rounds)
    spreads = {name: Spread.of(times).as_dict() for name, times in seconds.items()}
    return {
        "shape": list(batch.shape[1:]),
        "seconds": spreads,
        "times_as_fast": ratio(seconds, other, ours),
        "difference": difference,
    }


def measure(folder: Path, size: int, rounds: int) -> Row:
    """Both graphs of `folder`, on noise of size x size pixels."""
    batch = np.random.default_rng(0).random((1, size, size, 3), np.float32)
    return compare({route: opened(folder / route / "tf") for route in ROUTES}, batch, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--network", default="realesrgan-x4plus")
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    for route in ROUTES:
        if not (options.folder / route).exists():
            convert(options.network, options.folder / route, to="tf", route=route, runners=["tensorflow"])
    for size in options.sizes:
        row = {"network": options.network, **in_child(measure, options.folder, size, options.rounds)}
        print(row, flush=True)
        append("lowering_speed", [row])
