"""Each kind of layer alone: right, how fast, and how fast in other launch sizes and in cuDNN."""

import itertools
from collections.abc import Iterator, Sequence

import torch
from torch.nn import functional as F

from esrgan_benchmarks.gpu_report import Report
from esrgan_torch.generator import SLOPE, RRDBNet
from esrgan_torch.kernels.conv_rows import launch_rows
from esrgan_torch.kernels.conv_taps import launch_taps
from esrgan_torch.kernels.flat import FlatShape
from esrgan_torch.kernels.launch import kernel_name, run_step
from esrgan_torch.kernels.network import PackedNetwork
from esrgan_torch.kernels.steps import ClearBorder, Conv, Step, Upsample, written_values
from esrgan_torch.kernels.tuning import Kind, Launch, Table
from esrgan_torch.kernels.upsample import launch_upsample

# rounding of the result explains this much; of pairs only the rounded halves are compared
ALLOWED = {torch.float16: 4e-4, torch.bfloat16: 3e-3}


def steps_of(model: RRDBNet, shape: FlatShape, dtype: torch.dtype, device: torch.device) -> list[Step]:
    """All steps of the network on memory of their own, filled with random values and zeros around."""
    network = PackedNetwork(model, device, dtype)
    sizes = {**network.trunk_sizes(shape), **network.tail_sizes(shape)}
    memory = {name: torch.zeros(size, dtype=torch.uint8, device=device) for name, size in sizes.items()}
    trunk, tail = network.trunk_buffers(shape, memory), network.tail_buffers(shape, memory)
    for buffer in (trunk.picture, trunk.dense):
        buffer.picture()[:] = torch.randn_like(buffer.picture(), dtype=torch.float32)
    return [*network.trunk(trunk), *network.tail(tail)]


def kinds_of(steps: list[Step]) -> Iterator[Step]:
    """The first step of each kind: kernel, sizes and epilogue."""
    seen: set[tuple[object, ...]] = set()
    for step in steps:
        key: tuple[object, ...] = (type(step), step.name if isinstance(step, ClearBorder) else None)
        if isinstance(step, Conv):
            key = (
                step.source.count,
                step.outputs,
                step.active,
                len(step.residuals),
                step.accumulate,
                step.scale,
            )
        if key not in seen:
            seen.add(key)
            yield step


def check_layers(
    report: Report, model: RRDBNet, table: Table, shape: FlatShape, dtypes: Sequence[torch.dtype]
) -> None:
    """Every step of a network in turn, on what the one before left, beside its reference in float64."""
    for dtype in dtypes:
        worst: dict[str, float] = {}
        for step in steps_of(model, shape, dtype, report.device):
            before = step.target.values.clone()
            run_step(step, table)
            result = written_values(step).double()
            step.target.values.copy_(before)
            step.reference()
            exact = written_values(step).double()
            size = torch.dist(exact, torch.zeros_like(exact)).item() or 1.0
            error = torch.dist(result, exact).item() / size
            name = kernel_name(step, table)
            worst[name] = max(worst.get(name, 0.0), error)
        for name, error in worst.items():
            right = error <= ALLOWED[dtype]
            report.add("check", kernel=name, dtype=str(dtype), error=error, right=right)
            if not right:
                report.failed.append(f"check {name} {dtype}")


def time_layers(report: Report, model: RRDBNet, table: Table, shape: FlatShape, dtype: torch.dtype) -> None:
    """The table's launches, beside cuDNN's convolution with and without bias and LeakyReLU."""
    for step in kinds_of(steps_of(model, shape, dtype, report.device)):
        ms = report.milliseconds(lambda step=step: run_step(step, table))
        if isinstance(step, ClearBorder):
            report.add("layer", step=step.name, size=shape.height, dtype=str(dtype), ms=ms)
            continue
        flop = _operations(step)
        report.add(
            "layer",
            step=step.name,
            kernel=kernel_name(step, table),
            size=shape.height,
            dtype=str(dtype),
            ms=ms,
            tflops=round(flop / ms / 1e9, 1),
        )
        if isinstance(step, Conv) and not step.accumulate and step.outputs >= 32:
            _time_cudnn(report, step, dtype, flop)


def sweep_layers(
    report: Report,
    model: RRDBNet,
    shape: FlatShape,
    dtype: torch.dtype,
    kinds: tuple[Kind, ...],
    reserve: float,
    tries: int | None = None,
) -> None:
    """Other launch sizes, `tries` at most, until `reserve` seconds are left; the fastest is told last."""
    for step in kinds_of(steps_of(model, shape, dtype, report.device)):
        if isinstance(step, ClearBorder):
            continue
        best: tuple[float, Launch] | None = None
        for launch in candidates(step, kinds)[:tries]:
            if report.left() < reserve:
                return
            try:
                ms = report.milliseconds(lambda step=step, launch=launch: _launch(step, launch), 20)
            except Exception as error:  # a size that the device has no room for
                report.add("refused", step=step.name, launch=str(launch), error=str(error)[:120])
                continue
            report.add(
                "sweep", step=step.name, launch=str(launch), ms=ms, tflops=round(_operations(step) / ms / 1e9)
            )
            if best is None or ms < best[0]:
                best = ms, launch
        if best is not None:
            report.add("best", step=step.name, launch=str(best[1]), ms=best[0], dtype=str(dtype))


def candidates(step: Conv | Upsample, kinds: tuple[Kind, ...]) -> list[Launch]:
    """Launch sizes worth a try: those that compile without spilling, see docs/kernels.md."""
    sizes = [(64, 4), (128, 4), (128, 8), (256, 8)]
    if not isinstance(step, Conv):
        return [Launch("taps", pixels, 64, warps, stages) for pixels, warps in sizes for stages in (3, 4)]
    chunks = (64, 32) if step.source.count >= 64 else (32,)
    return [
        Launch(kind, pixels, chunk, warps, stages)
        for kind, (pixels, warps), chunk, stages in itertools.product(kinds, sizes, chunks, (2, 3))
        # three sums of 64 outputs for 32 pixels and more a warp do not fit the registers
        if kind == "taps" or step.outputs < 64 or pixels // warps <= 16
    ]


def _launch(step: Conv | Upsample, launch: Launch) -> None:
    if isinstance(step, Upsample):
        launch_upsample(step, launch)
    elif launch.kind == "taps":
        launch_taps(step, launch)
    else:
        launch_rows(step, launch)


def _operations(step: Step) -> float:
    """Useful floating-point operations of a convolution."""
    if isinstance(step, ClearBorder):
        return 0.0
    shape = step.source.buffer.shape if isinstance(step, Conv) else step.source.shape
    pixels = shape.batch * shape.height * shape.width
    if isinstance(step, Conv):
        outputs = step.outputs if step.stored is None else step.stored
        return 2.0 * 9 * step.source.count * outputs * pixels
    return 2.0 * 16 * step.source.channels * step.outputs * pixels


def _time_cudnn(report: Report, step: Conv, dtype: torch.dtype, flop: float) -> None:
    shape = step.source.buffer.shape
    last = torch.channels_last
    source = torch.randn(1, step.source.count, shape.height, shape.width, device=report.device, dtype=dtype)
    weight = torch.randn(step.outputs, step.source.count, 3, 3, device=report.device, dtype=dtype)
    source, weight = source.contiguous(memory_format=last), weight.contiguous(memory_format=last)
    bias = torch.randn(step.outputs, device=report.device, dtype=dtype)
    plain = report.milliseconds(lambda: F.conv2d(source, weight, padding=1))
    whole = report.milliseconds(lambda: F.leaky_relu_(F.conv2d(source, weight, bias, padding=1), SLOPE))
    report.add(
        "cudnn",
        step=step.name,
        inputs=step.source.count,
        outputs=step.outputs,
        size=shape.height,
        dtype=str(dtype),
        ms=plain,
        tflops=round(flop / plain / 1e9, 1),
        with_bias_and_activation_ms=whole,
    )
