"""SPAN beside a CompactNet of the same arithmetic, in every runtime: what a network's form costs.

    python -m esrgan_benchmarks same_cost [--sizes PX,PX] [--runs N] [--runtimes A,B]

Both networks have random weights, which change no time, and 48 features. A runtime holds both, each in a
process of its own, and computes them in turn.
"""

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import torch

from esrgan_benchmarks.bench.child import Child
from esrgan_benchmarks.core.artefacts import make_artefacts
from esrgan_benchmarks.core.cases import sample, work_of
from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_benchmarks.core.load import Watch
from esrgan_benchmarks.core.measure import Spread, ratios
from esrgan_benchmarks.core.record import Row, append, latest, measured_on, newest
from esrgan_benchmarks.core.rounds import take_rounds
from esrgan_benchmarks.runtimes import choose_runtimes
from esrgan_benchmarks.runtimes.base import Runtime, Setting
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.span import SPAN
from esrgan_weights.formats.write import save

RUNTIMES = (
    "pytorch",
    "esrgan-torch-native",
    "esrgan-torch-eager",
    "onnxruntime",
    "openvino",
    "tensorflow",
    "tfjs-node",
    "tfjs-wasm",
    "kernels-wasm",
)


def networks() -> dict[str, Generator]:
    """SPAN as published, and the nearest CompactNet: 0.425 and 0.416 M multiply-adds an input pixel."""
    torch.manual_seed(0)
    return {"SPAN, 48 features": SPAN(48), "CompactNet, 48 features, 19 convolutions": CompactNet(48, 19)}


def measure(runtime: Runtime, sizes: Sequence[int], folder: Path, runs: int, threads: int) -> list[Row]:
    """Rows of one runtime: each network's seconds, and SPAN's as a share of the other's.

    Args:
        runtime: computes both.
        sizes: pixels a side.
        folder: of the networks' files, kept for the next runtime.
        runs: counted rounds.
        threads: of the runtime.

    Raises:
        BenchmarkError: it does not run here, or not one of the networks.
    """
    if reason := runtime.missing():
        raise BenchmarkError(f"{runtime.name}: {reason}")
    rows: list[Row] = []
    watch = Watch(threads)
    with ExitStack() as stack:
        children: dict[str, Child] = {}
        for number, (name, network) in enumerate(networks().items()):
            file = folder / f"{number}.safetensors"
            copies = folder / f"{number}"
            if not file.exists():
                save(network, file)
            if runtime.needs and (failed := make_artefacts(str(file), copies, [runtime.needs])):
                raise BenchmarkError(f"{runtime.name}: {failed}")
            children[name] = stack.enter_context(Child(runtime, Setting(str(file), copies, threads)))
        opened = {name: child.open() for name, child in children.items()}
        for size in sizes:
            batch = sample((1, size, size, 3))
            for child in children.values():
                child.feed(batch)
                child.run()
            cases = {name: child.run for name, child in children.items()}
            rounds = take_rounds(cases, runs, watch)
            span, compact = children
            seconds = {name: [one.seconds[name] for one in rounds.kept] for name in children}
            for name, network in networks().items():
                rows.append(
                    {
                        "runtime": runtime.name,
                        "dtype": opened[name].dtype,
                        "engine": children[name].engine(),
                        "network": name,
                        "multiply_adds": work_of(network, (1, size, size, 3)).multiply_adds // size**2,
                        "size": size,
                        "seconds": Spread.of(seconds[name]).as_dict(),
                        "of_compact": Spread.of(ratios(seconds, name, compact)).as_dict()
                        if name == span
                        else None,
                        "rounds": [round(value, 6) for value in seconds[name]],
                        "disturbed": rounds.disturbed,
                        "threads_asked": threads,
                    }
                )
    return rows


def table(rows: list[Row]) -> str:
    """The rows as a table, for the documentation."""
    rows = latest(newest(rows), "runtime", "network", "size")
    lines = [
        "| runtime | precision | picture | SPAN | CompactNet | SPAN's time of CompactNet's | quartiles |",
        "|---|---|---|---|---|---|---|",
    ]
    spans = [row for row in rows if row["of_compact"] is not None]
    for row in sorted(spans, key=lambda row: (row["size"], row["seconds"]["median"])):
        key = row["runtime"], row["size"]
        other = next(
            each for each in rows if each["of_compact"] is None and (each["runtime"], each["size"]) == key
        )
        share = row["of_compact"]
        same = row["dtype"] == other["dtype"]
        dtype = row["dtype"] if same else f"{row['dtype']} beside {other['dtype']}"
        lines.append(
            f"| {row['runtime']} | {dtype} | {row['size']}x{row['size']} "
            f"| {row['seconds']['median'] * 1e3:.3g} ms | {other['seconds']['median'] * 1e3:.3g} ms "
            f"| {share['median']:.2f} | {share['lower']:.2f}-{share['upper']:.2f} |"
        )
    cost = {row["network"]: f"{row['multiply_adds'] / 1e6:.3f} M" for row in rows}
    work = "; ".join(f"{network}: {count}" for network, count in cost.items())
    return "\n".join([*lines, "", f"Multiply-adds an input pixel: {work}.", "", measured_on(rows)])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="64,256")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--runtimes", default=",".join(RUNTIMES))
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="esrgan-bench-") as folder:
        for runtime in choose_runtimes(options.runtimes.split(","), "cpu"):
            try:
                rows = measure(runtime, sizes, Path(folder), options.runs, torch.get_num_threads())
            except BenchmarkError as error:
                print(f"left out: {error}")
                continue
            for row in rows:
                seconds = row["seconds"]["median"]
                print(f"{row['runtime']:22} {row['network']:42} {row['size']:4} {seconds:.4f} s")
            print(append("same-cost", rows))
