"""Nearest x2 and a 3x3 convolution, as they are or as four 2x2 convolutions, in three runtimes.

    python -m esrgan_benchmarks upsampling [--size PX] [--rounds N]

Each output pixel of the enlarged picture sees two rows and two columns of the input, so the 3x3 kernel can be
summed to a 2x2 kernel for each of the four positions: 4/9 of the multiply-adds, and an interleaving
(depth_to_space) at the end. 64 channels, as in the tail of RRDBNet.
"""

import argparse
import json
import subprocess
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_benchmarks.core.measure import Spread, in_child, interleave, ratio, stopwatch
from esrgan_benchmarks.core.record import Row, append
from esrgan_bridge.runners.tfjs_setup import PACKAGES

CHANNELS = 64
FORMS = ("one", "phases")
OPSET = 13
TOLERANCE = 1e-4
SCRIPT = Path(__file__).with_name("upsampling.mjs")
Array = NDArray[np.float32]
Run = Callable[[Array], Array]


def phase_kernels(kernel: Array) -> list[Array]:
    """(3, 3, in, out) -> four (2, 2, in, out), of the output pixels (0, 0), (0, 1), (1, 0), (1, 1)."""
    rows = (np.stack((kernel[0], kernel[1] + kernel[2])), np.stack((kernel[0] + kernel[1], kernel[2])))
    return [
        np.stack(columns, axis=1)
        for row in rows
        for columns in ((row[:, 0], row[:, 1] + row[:, 2]), (row[:, 0] + row[:, 1], row[:, 2]))
    ]


def pads(phase: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Zeros (before, after) the rows and the columns of the input, for one of the four kernels."""
    down, right = divmod(phase, 2)
    return (1 - down, down), (1 - right, right)


def on_tensorflow(kernel: Array) -> dict[str, Run]:
    """Both forms as functions of (1, H, W, C)."""
    tf: Any = import_module("tensorflow")
    weights = [tf.constant(part) for part in phase_kernels(kernel)]
    paddings = [[[0, 0], *map(list, pads(phase)), [0, 0]] for phase in range(4)]

    def one(batch: Any) -> Any:
        size = tf.shape(batch)[1:3] * 2
        large = tf.raw_ops.ResizeNearestNeighbor(images=batch, size=size)
        return tf.nn.conv2d(large, tf.constant(kernel), 1, "SAME")

    def phases(batch: Any) -> Any:
        parts = [tf.nn.conv2d(batch, part, 1, pad) for part, pad in zip(weights, paddings, strict=True)]
        return tf.nn.depth_to_space(tf.concat(parts, 3), 2)

    shape = tf.TensorSpec([1, None, None, CHANNELS], tf.float32)
    graphs = {"one": tf.function(one, [shape]), "phases": tf.function(phases, [shape])}

    def run(graph: Any, batch: Array) -> Array:
        return graph(tf.constant(batch)).numpy()

    return {name: partial(run, graph) for name, graph in graphs.items()}


def on_onnxruntime(kernel: Array) -> dict[str, Run]:
    """Both forms as functions of (1, H, W, C); ONNX Runtime computes (1, C, H, W)."""
    import onnxruntime

    def session(document: Any) -> Any:
        return onnxruntime.InferenceSession(document.SerializeToString(), providers=["CPUExecutionProvider"])

    def run(opened: Any, batch: Array) -> Array:
        (result,) = opened.run(None, {"input": np.ascontiguousarray(batch.transpose(0, 3, 1, 2))})
        return result.transpose(0, 2, 3, 1)

    return {form: partial(run, session(onnx_model(form, kernel))) for form in FORMS}


def onnx_model(form: str, kernel: Array) -> Any:
    """One of `FORMS` as an ONNX model, (1, C, H, W)."""
    from onnx import TensorProto, helper, numpy_helper

    tensors: dict[str, Any] = {}
    if form == "one":
        tensors["scales"] = np.array([1, 1, 2, 2], np.float32)
        tensors["weight"] = kernel.transpose(3, 2, 0, 1)
        nearest = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        nodes = [
            helper.make_node("Resize", ["input", "", "scales"], ["large"], mode="nearest", **nearest),
            helper.make_node("Conv", ["large", "weight"], ["output"], pads=[1, 1, 1, 1]),
        ]
    else:
        nodes = []
        for phase, part in enumerate(phase_kernels(kernel)):
            tensors[f"weight{phase}"] = part.transpose(3, 2, 0, 1)
            (top, bottom), (left, right) = pads(phase)
            border = [top, left, bottom, right]
            nodes.append(helper.make_node("Conv", ["input", f"weight{phase}"], [f"part{phase}"], pads=border))
        nodes.append(helper.make_node("Concat", [f"part{phase}" for phase in range(4)], ["parts"], axis=1))
        nodes.append(helper.make_node("DepthToSpace", ["parts"], ["output"], blocksize=2, mode="DCR"))
    shape = [1, CHANNELS, None, None]
    graph = helper.make_graph(
        nodes,
        form,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in tensors.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def measure(runtime: str, size: int, rounds: int) -> Row:
    """Times of both forms in one runtime on one random picture, in turn.

    Raises:
        ValueError: the forms differ.
    """
    random = np.random.default_rng(0)
    kernel = random.standard_normal((3, 3, CHANNELS, CHANNELS)).astype(np.float32) / 24
    batch = random.random((1, size, size, CHANNELS), np.float32)
    if runtime == "tfjs-node":
        command = ["node", str(SCRIPT), str(PACKAGES.folder()), str(size), str(rounds)]
        answer = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        seconds, difference = answer["seconds"], answer["difference"]
    else:
        runs = {"tensorflow": on_tensorflow, "onnxruntime": on_onnxruntime}[runtime](kernel)
        difference = float(np.abs(runs["one"](batch) - runs["phases"](batch)).max())
        seconds = interleave({name: stopwatch(partial(run, batch)) for name, run in runs.items()}, rounds)
    if not difference <= TOLERANCE:
        raise ValueError(f"{runtime}: the two forms differ by {difference:.1e}")
    return {
        "runtime": runtime,
        "shape": [size, size, CHANNELS],
        "seconds": {form: Spread.of(seconds[form]).as_dict() for form in FORMS},
        "phases_times_as_fast": ratio(seconds, "one", "phases"),
        "difference": difference,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runtimes", nargs="+", default=["tensorflow", "onnxruntime", "tfjs-node"])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    for runtime in options.runtimes:
        row = in_child(measure, runtime, options.size, options.rounds)
        print(row, flush=True)
        append("upsampling", [row])
