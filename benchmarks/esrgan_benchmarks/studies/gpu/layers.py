"""Each kind of layer alone: right, how fast, and how fast beside cuDNN."""

from collections.abc import Iterator, Sequence

import torch
from torch.nn import functional as F

from esrgan_benchmarks.studies.gpu.report import Report
from esrgan_torch.engines.cuda.flat import FlatShape
from esrgan_torch.engines.cuda.launch import kernel_name, run_step
from esrgan_torch.engines.cuda.network import PackedNetwork
from esrgan_torch.engines.cuda.steps import ClearBorder, Conv, Step, Upsample, written_values
from esrgan_torch.engines.cuda.tuning import Table
from esrgan_torch.networks.rrdb import SLOPE, RRDBNet

# rounding of the result explains this much; of pairs only the rounded halves are compared
ALLOWED = {torch.float16: 4e-4, torch.bfloat16: 3e-3}
NAN = 255  # two or four bytes of it are not a number in each precision


def steps_of(model: RRDBNet, shape: FlatShape, dtype: torch.dtype, device: torch.device) -> list[Step]:
    """All steps of the network on memory of their own: random values, NaN in all that a step has to clear.

    The tail's maps take turns in memory, so the first one is filled last.
    """
    network = PackedNetwork(model, device, dtype)
    sizes = {**network.trunk_sizes(shape), **network.tail_sizes(shape)}
    memory = {
        name: torch.full((size,), NAN, dtype=torch.uint8, device=device) for name, size in sizes.items()
    }
    memory["picture"].zero_()  # the engine clears its border, not a step
    trunk, tail = network.trunk_buffers(shape, memory), network.tail_buffers(shape, memory)
    for buffer in (trunk.picture, trunk.dense, *reversed(tail.maps)):
        buffer.picture()[:] = torch.randn_like(buffer.picture(), dtype=torch.float32)
    return [*network.trunk(trunk), *network.tail(tail)]


def kinds_of(steps: Sequence[Step]) -> Iterator[Step]:
    """The first step of each kind: kernel, sizes and epilogue."""
    seen: set[tuple[object, ...]] = set()
    for step in steps:
        if kind_of(step) not in seen:
            seen.add(kind_of(step))
            yield step


def kind_of(step: Step) -> tuple[object, ...]:
    """What steps that run the same code have in common."""
    if isinstance(step, Conv):
        return (
            step.source.count,
            step.outputs,
            step.active,
            len(step.residuals),
            step.accumulate,
            step.scale,
        )
    return (type(step), step.name if isinstance(step, ClearBorder) else None)


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
            error = distance(result, written_values(step).double())
            name = kernel_name(step, table)
            worst[name] = max(worst.get(name, 0.0), error)
        for name, error in worst.items():
            right = error <= ALLOWED[dtype]
            report.add("check", kernel=name, dtype=str(dtype), error=error, right=right)
            if not right:
                report.failed.append(f"check {name} {dtype}")


def distance(result: torch.Tensor, exact: torch.Tensor) -> float:
    """Relative to the exact values, or absolute where all of those are 0; infinite where one is no number."""
    size = torch.dist(exact, torch.zeros_like(exact)).item() or 1.0
    error = torch.dist(result, exact).item() / size
    return error if error == error else float("inf")  # max() would lose a NaN


def run_kinds(report: Report, model: RRDBNet, table: Table, shape: FlatShape, dtype: torch.dtype) -> None:
    """Each kind of layer once, after a first time, for a profiler or a memory checker to watch."""
    steps = list(kinds_of(steps_of(model, shape, dtype, report.device)))
    for step in steps:
        run_step(step, table)
    cuda = report.device.type == "cuda"
    if cuda:
        torch.cuda.synchronize()
        torch.cuda.profiler.start()
    for step in steps:
        run_step(step, table)
    if cuda:
        torch.cuda.synchronize()
        torch.cuda.profiler.stop()
    report.add("ran", kinds=len(steps), height=shape.height, width=shape.width)


def time_layers(report: Report, model: RRDBNet, table: Table, shape: FlatShape, dtype: torch.dtype) -> None:
    """The table's launches, beside cuDNN's convolution with and without bias and LeakyReLU."""
    for step in warm_steps(report, model, table, shape, dtype):
        ms = report.graph_milliseconds(lambda step=step: run_step(step, table))
        if isinstance(step, ClearBorder):
            report.add("layer", step=step.name, height=shape.height, dtype=str(dtype), ms=ms)
            continue
        flop = operations(step)
        report.add(
            "layer",
            step=step.name,
            kernel=kernel_name(step, table),
            height=shape.height,
            dtype=str(dtype),
            ms=ms,
            tflops=round(flop / ms / 1e9, 1),
        )
        if isinstance(step, Conv) and not step.accumulate and step.outputs >= 32:
            _time_cudnn(report, step, dtype, flop)


def warm_steps(
    report: Report, model: RRDBNet, table: Table, shape: FlatShape, dtype: torch.dtype
) -> list[Step]:
    """One step of each kind, on what a whole run left: numbers everywhere, no zeros and no NaN."""
    steps = steps_of(model, shape, dtype, report.device)
    for step in steps:
        run_step(step, table)
    return list(kinds_of(steps))


def operations(step: Step) -> float:
    """Useful floating-point operations of a step."""
    if isinstance(step, ClearBorder):
        return 0.0
    shape = step.source.buffer.shape if isinstance(step, Conv) else step.source.shape
    pixels = shape.batch * shape.height * shape.width
    if isinstance(step, Upsample):
        return 2.0 * 16 * step.source.channels * step.outputs * pixels
    outputs = step.outputs if step.stored is None else step.stored
    return 2.0 * 9 * step.source.count * outputs * pixels


def _time_cudnn(report: Report, step: Conv, dtype: torch.dtype, flop: float) -> None:
    shape = step.source.buffer.shape
    last = torch.channels_last
    source = torch.randn(1, step.source.count, shape.height, shape.width, device=report.device, dtype=dtype)
    weight = torch.randn(step.outputs, step.source.count, 3, 3, device=report.device, dtype=dtype)
    source, weight = source.contiguous(memory_format=last), weight.contiguous(memory_format=last)
    bias = torch.randn(step.outputs, device=report.device, dtype=dtype)
    plain = report.graph_milliseconds(lambda: F.conv2d(source, weight, padding=1))
    whole = report.graph_milliseconds(lambda: F.leaky_relu_(F.conv2d(source, weight, bias, padding=1), SLOPE))
    report.add(
        "cudnn",
        step=step.name,
        inputs=step.source.count,
        outputs=step.outputs,
        height=shape.height,
        dtype=str(dtype),
        ms=plain,
        tflops=round(flop / plain / 1e9, 1),
        with_bias_and_activation_ms=whole,
    )
