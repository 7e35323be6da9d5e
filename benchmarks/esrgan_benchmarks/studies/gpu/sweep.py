"""Other launch sizes for each kind of layer: what belongs into `tuning`."""

import itertools
from collections import Counter
from dataclasses import dataclass

import torch

from esrgan_benchmarks.studies.gpu.layers import (
    ALLOWED,
    distance,
    kind_of,
    operations,
    steps_of,
    warm_steps,
)
from esrgan_benchmarks.studies.gpu.report import Report
from esrgan_torch.engines.cuda.conv_rows import launch_rows
from esrgan_torch.engines.cuda.conv_taps import launch_taps
from esrgan_torch.engines.cuda.flat import FlatShape
from esrgan_torch.engines.cuda.launch import run_step
from esrgan_torch.engines.cuda.steps import ClearBorder, Conv, Step, Upsample, written_values
from esrgan_torch.engines.cuda.tuning import SHARED_MEMORY, Capability, Launch, Table, chunk_for
from esrgan_torch.engines.cuda.upsample import launch_upsample
from esrgan_torch.networks.rrdb import RRDBNet

BLOCKS = 23  # of the network whose time counts
FIRST_TILE = 256  # pixels: reads the weights half as often as the table's 128


@dataclass
class _Best:
    ms: float
    launch: Launch


def sweep_layers(
    report: Report,
    model: RRDBNet,
    table: Table,
    shape: FlatShape,
    dtype: torch.dtype,
    capability: Capability,
    tries: int | None = None,
) -> None:
    """Time the candidates of each kind of layer until the time is over, then tell the fastest right ones.

    Tiles of 256 pixels of all layers come first, and layers in the order of their work in a network.

    Args:
        tries: candidates of a layer, at most; None: all.
    """
    steps = in_order(warm_steps(report, model, table, shape, dtype), Counter(_kinds(model, dtype)))
    tables: dict[str, float] = {}
    best: dict[str, _Best] = {}
    for large in (True, False):
        for step in steps:
            _sweep_layer(
                report, step, table, candidates(step, capability, large)[:tries], tables, best, dtype
            )
    for name, found in best.items():
        report.add(
            "best",
            step=name,
            launch=label(found.launch),
            ms=found.ms,
            table_ms=tables[name],
            dtype=str(dtype),
        )


def in_order(kinds: list[Step], often: Counter[tuple[object, ...]]) -> list[Conv | Upsample]:
    """Those that compute, by their share of a network's work, the largest first; `often` is of one RRDB."""

    def share(step: Step) -> float:
        repeats = BLOCKS if step.name.startswith("RRDB") else 1
        return operations(step) * often[kind_of(step)] * repeats

    computing = [step for step in kinds if not isinstance(step, ClearBorder)]
    return sorted(computing, key=share, reverse=True)


def candidates(step: Conv | Upsample, capability: Capability, large: bool) -> list[Launch]:
    """Launch sizes worth a try that fit the device's shared memory: tiles of 256 pixels, or the others."""
    sizes = [(FIRST_TILE, 8)] if large else [(128, 8), (128, 4), (64, 4)]
    chunks = (64, 32) if isinstance(step, Upsample) or step.source.count >= 64 else (32,)
    found = [
        Launch("taps", pixels, chunks[0], warps, stages) for (pixels, warps) in sizes for stages in (3, 4)
    ]
    if isinstance(step, Conv) and step.source.count >= 32:
        kind = "rows-descriptor" if capability == (9, 0) else "rows"
        rows = [
            Launch(kind, pixels, chunk, warps, stages)
            for (pixels, warps), chunk, stages in itertools.product(sizes, chunks, (2, 3, 4))
        ]
        # nine reads of the input are worth a try where there is little of it
        found = [*rows, *(found[:1] if step.source.count == 32 else [])]
    return [launch for launch in found if _shared_bytes(step, launch) <= SHARED_MEMORY[capability]]


def label(launch: Launch) -> str:
    """Short, for a row."""
    sizes = f"{launch.pixels} pixels, {launch.chunk} inputs, {launch.warps} warps, {launch.stages} stages"
    return f"{launch.kind}: {sizes}"


def launch_step(step: Conv | Upsample, launch: Launch) -> None:
    """Run a step with other sizes than the table's."""
    if isinstance(step, Upsample):
        launch_upsample(step, launch)
    elif launch.kind == "taps":
        launch_taps(step, launch)
    else:
        launch_rows(step, launch)


def _sweep_layer(
    report: Report,
    step: Conv | Upsample,
    table: Table,
    launches: list[Launch],
    tables: dict[str, float],
    best: dict[str, _Best],
    dtype: torch.dtype,
) -> None:
    if report.left() <= 0:
        return
    parts = [step.target.picture(at, count) for at, count in step.written]
    before = [part.clone() for part in parts]

    def result_of(launch: Launch | None) -> torch.Tensor:
        for part, values in zip(parts, before, strict=True):
            part.copy_(values)  # some layers write over what they read
        if launch is None:
            run_step(step, table)
        else:
            launch_step(step, launch)
        return written_values(step).float()

    expected = result_of(None)
    if step.name not in tables:
        tables[step.name] = report.graph_milliseconds(lambda: run_step(step, table), 5, 5)
    for launch in launches:
        if report.left() <= 0:
            return
        try:
            right = distance(result_of(launch), expected) <= ALLOWED[dtype]
            ms = report.graph_milliseconds(lambda launch=launch: launch_step(step, launch), 5, 5)
        except Exception as error:  # a size that the device has no room for
            report.add("refused", step=step.name, launch=label(launch), error=str(error)[:120])
            continue
        row = {"ms": ms, "tflops": round(operations(step) / ms / 1e9, 1), "right": right, "dtype": str(dtype)}
        report.add("sweep", step=step.name, launch=label(launch), **row)
        if right and (step.name not in best or ms < best[step.name].ms):
            best[step.name] = _Best(ms, launch)
        elif not right:
            report.failed.append(f"sweep {step.name} {label(launch)}")


def _kinds(model: RRDBNet, dtype: torch.dtype) -> list[tuple[object, ...]]:
    return [kind_of(step) for step in steps_of(model, FlatShape(1, 1, 1), dtype, torch.device("cpu"))]


def _shared_bytes(step: Conv | Upsample, launch: Launch) -> int:
    """Tiles of the steps that are loaded ahead: of pixels, and of the weights of one tap or three."""
    if isinstance(step, Upsample):
        inputs, pieces = step.source.channels, (step.source.channels,)
    else:
        inputs = step.source.count
        pieces = (step.source.first_piece, inputs - step.source.first_piece)
    chunk = chunk_for(launch, *pieces)
    taps = 1 if launch.kind == "taps" else 3
    return 2 * launch.stages * chunk * (launch.pixels + taps * step.outputs)
