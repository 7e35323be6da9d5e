"""How far each kind of the native engine's layers is from what the processor can multiply.

    python -m esrgan_benchmarks native_layers [--size PX] [--runs N]

One thread, in turn with a large matrix product of PyTorch's, whose speed is taken for the processor's limit.
The clock is the processor time of this process: others that compute meanwhile change it less than the time on
the wall. Layers follow one another where their sizes let them, as in a network: what they read is in a cache.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn

from esrgan_benchmarks.core.measure import Spread, interleave, ratios
from esrgan_benchmarks.core.record import Row, append, latest, measured_on, newest
from esrgan_torch.engines.describing import PICTURE, RESULT, Activation, Kind
from esrgan_torch.engines.native.engine import Runners, fastest_level, memory
from esrgan_torch.engines.native.library import Program
from esrgan_torch.engines.native.program import Builder
from esrgan_torch.engines.native.program_rrdb import dense_block
from esrgan_torch.engines.native.winograd import padded
from esrgan_torch.networks.rrdb import SLOPE, ResidualDenseBlock

SIDE = 1536  # of the matrices: more gave the same speed
PEAK = "matrix product"
OUTPUTS, TAPS = 16, 36  # of a tile: values, and products for each of them together


@dataclass(frozen=True)
class Layers:
    """Layers of one kind, as a program between two given maps.

    Args:
        inputs, outputs: channels of the maps.
        scale: pixels of the result to one of what is given.
        multiplied: products for one pixel that is given, in the form that the engine computes.
        program: makes it, for vectors of so many floats.
    """

    inputs: int
    outputs: int
    multiplied: float
    program: Callable[[int], Program]
    scale: int = 1


def chain(channels: Sequence[int], activation: float | Activation, *, enlarge: bool = False) -> Layers:
    """3x3 convolutions with these channels between them, through rings of rows."""
    layers = [nn.Conv2d(before, after, 3).requires_grad_(False) for before, after in pairwise(channels)]
    scale = 2 if enlarge else 1

    def program(lanes: int) -> Program:
        builder = _builder(lanes, channels[0], channels[-1], scale)
        source = PICTURE
        for number, layer in enumerate(layers):
            target = RESULT if layer is layers[-1] else builder.map(layer.out_channels)
            residuals = [(1.0, source)] if activation is Activation.GATE else []
            waits = [number - 1] if number else []
            builder.convolution(layer, [source], target, waits, activation, residuals, enlarge=enlarge)
            source = target
        builder.phase(len(layers))
        return builder.program()

    products = sum(before * after for before, after in pairwise(channels)) * TAPS / OUTPUTS * scale**2
    return Layers(channels[0], channels[-1], products, program, scale)


def dense_blocks(features: int, growth: int, count: int) -> Layers:
    """RRDBNet's dense blocks, from one map into the other and back."""
    block = ResidualDenseBlock(features, growth).requires_grad_(False)

    def program(lanes: int) -> Program:
        builder = _builder(lanes, features, features, 1)
        inner = [builder.map(growth) for _ in range(4)]
        for number in range(count):
            source, target = (PICTURE, RESULT) if number % 2 == 0 else (RESULT, PICTURE)
            dense_block(builder, block, source, target, inner)
        builder.phase(5, count)
        return builder.program()

    grown = sum((features + number * growth) * growth for number in range(4))
    products = count * (grown + (features + 4 * growth) * features) * TAPS / OUTPUTS
    return Layers(features, features, products, program)


def pointwise(features: int, maps: int) -> Layers:
    """1x1 over several maps; here all of them are the same."""
    layer = nn.Conv2d(maps * features, features, 1).requires_grad_(False)

    def program(lanes: int) -> Program:
        builder = _builder(lanes, features, features, 1)
        builder.convolution(layer, [PICTURE] * maps, RESULT, [], widths=[features] * maps)
        builder.phase(1)
        return builder.program()

    return Layers(features, features, maps * features**2, program)


LAYERS: dict[str, Callable[[], Layers]] = {
    "RRDBNet's dense block, 64 and 32": lambda: dense_blocks(64, 32, 6),
    "CompactNet's, 64 to 64, PReLU": lambda: chain([64] * 9, SLOPE),
    "SPAN's, 48 to 48, SiLU": lambda: chain([48] * 9, Activation.SILU),
    "SPAN's, 48 to 48, gate": lambda: chain([48] * 9, Activation.GATE),
    "SPAN's, 1x1, 192 to 48": lambda: pointwise(48, 4),
    "enlargement, 64 to 64": lambda: chain([64, 64], SLOPE, enlarge=True),
    "first, 3 to 64": lambda: chain([3, 64], Activation.NONE),
    "last, 64 to 3": lambda: chain([64, 3], Activation.NONE),
}


def measure(size: int, runs: int, level: str | None = None) -> list[Row]:
    """Rows of all kinds on a size x size map; `level` of instructions, None: the fastest here.

    Raises:
        EngineError: the native engine does not run here.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        layers = {name: make() for name, make in LAYERS.items()}
        cases = {name: _stopwatch(_run(made, size, level)) for name, made in layers.items()}
        left, right = torch.rand(2, SIDE, SIDE)
        cases[PEAK] = _stopwatch(lambda: torch.mm(left, right))
        with torch.inference_mode():
            seconds = interleave(cases, runs)
    finally:
        torch.set_num_threads(before)
    rows: list[Row] = []
    for name, made in layers.items():
        # the products at the speed of the large one, by the time that the layers took
        limits = [SIDE**3 / (made.multiplied * size**2) * spent for spent in ratios(seconds, name, PEAK)]
        gflops = 2 * made.multiplied * size**2 / statistics.median(seconds[name]) / 1e9
        rows.append(
            {
                "layer": name,
                "level": level or fastest_level(),
                "size": size,
                "clock": "processor time",
                "seconds": Spread.of(seconds[name]).as_dict(),
                "gflops": round(gflops, 1),
                "peak_gflops": round(2 * SIDE**3 / statistics.median(seconds[PEAK]) / 1e9, 1),
                "of_peak": Spread.of([1 / limit for limit in limits]).as_dict(),
            }
        )
    return rows


def table(rows: list[Row]) -> str:
    """The rows as a table, for the documentation."""
    rows = latest(newest(rows), "layer", "level", "size")
    lines = [
        "| layers | level | map | products a second | of the large product's | quartiles |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        median, lower, upper = (row["of_peak"][name] for name in ("median", "lower", "upper"))
        lines.append(
            f"| {row['layer']} | {row['level']} | {row['size']}x{row['size']} | {row['gflops']:.0f} of "
            f"{row['peak_gflops']:.0f} GFLOP/s | {median:.2f} | {lower:.2f}-{upper:.2f} |"
        )
    return "\n".join([*lines, "", measured_on(rows)])


def _builder(lanes: int, inputs: int, outputs: int, scale: int) -> Builder:
    builder = Builder(lanes)
    builder.map(inputs, Kind.GIVEN)
    builder.map(outputs, Kind.GIVEN, scale)
    return builder


def _run(layers: Layers, size: int, level: str | None) -> Callable[[], None]:
    runner = Runners(layers.program, level).runner()
    large = size * layers.scale
    given = {
        PICTURE: memory(size, size, padded(layers.inputs)).uniform_(),
        RESULT: memory(large, large, padded(layers.outputs)),
    }
    return lambda: runner.run(size, size, given, lambda share: None)


def _stopwatch(function: Callable[[], object]) -> Callable[[], float]:
    def timed() -> float:
        started = time.process_time()
        function()
        return time.process_time() - started

    return timed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--level", action="append", help="of instructions, such as avx2; the fastest here")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)  # rows say so
    for level in options.level or [None]:
        rows = measure(options.size, options.runs, level)
        for row in rows:
            print(
                f"{row['layer']:34} {row['gflops']:7.1f} GFLOP/s, {row['of_peak']['median']:.2f} of the limit"
            )
        print(append("native-layers", rows))
