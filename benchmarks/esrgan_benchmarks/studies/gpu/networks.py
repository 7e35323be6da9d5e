"""The whole network: PyTorch in its forms, and the kernels; time, memory and distance to float32."""

import copy
import gc
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from esrgan_benchmarks.core.cases import work_of
from esrgan_benchmarks.studies.gpu.evidence import SEEDED
from esrgan_benchmarks.studies.gpu.inputs import PHOTO_SIZE, photo
from esrgan_benchmarks.studies.gpu.report import Report
from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.choose import make_engine
from esrgan_torch.engines.computing import computing
from esrgan_torch.engines.cuda.compact import CompactKernels
from esrgan_torch.engines.cuda.engine import KernelEngine
from esrgan_torch.engines.cuda.flat import FlatShape
from esrgan_torch.engines.cuda.tuning import Table
from esrgan_torch.engines.rrdb import RRDBEngine
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RRDBNet
from esrgan_torch.quantise import decibels, rounded_levels

Size = tuple[int, int]  # height and width
Run = Callable[[], Tensor]
TAIL = 128  # feature pixels: what Upscaler cuts the tail into
HALO = 2
# dB of the 8-bit picture to float32's; on a CPU official weights have 66 and 51
LEAST_PSNR = {torch.float16: 57.0, torch.bfloat16: 45.0}


def check_network(
    report: Report,
    model: RRDBNet,
    weights: str,
    table: Table,
    dtypes: Sequence[torch.dtype],
    size: Size = PHOTO_SIZE,
    halo: bool = False,
) -> None:
    """The 8-bit picture against that of true float32, and the same picture again from the captured graph."""
    batch = photo(*size, report.device)
    # without TF32, which would be as far off as float16: engines see to that
    exact = _levels(_run(RRDBEngine(model, report.device, torch.float32), batch))
    for dtype in dtypes:
        eager = _levels(_run(RRDBEngine(model, report.device, dtype), batch))
        engine = KernelEngine(model, report.device, dtype, table, halo)
        results = [_run(engine, batch) for _ in range(3)]
        same = all(torch.equal(result, results[0]) for result in results)
        psnr = _psnr(_levels(results[0]), exact)
        name = "halo kernel" if halo else "kernels"
        right = same and psnr >= LEAST_PSNR[dtype]
        report.add(
            "network check",
            name=name,
            weights=weights,
            height=size[0],
            width=size[1],
            dtype=str(dtype),
            psnr=psnr,
            eager_psnr=_psnr(eager, exact),
            replay_is_equal=same,
            right=right,
        )
        # seeded weights leave most of the picture at 0, which says nothing
        if not right and weights != SEEDED:
            report.failed.append(f"network check {name} {dtype}")


def time_networks(
    report: Report, model: RRDBNet, table: Table, sizes: Sequence[Size], dtype: torch.dtype
) -> None:
    """Eager PyTorch in both layouts, the engine made of it, and the kernels."""
    for size in sizes:
        _time_size(report, model, table, size, dtype)


def _time_size(report: Report, model: RRDBNet, table: Table, size: Size, dtype: torch.dtype) -> None:
    device = report.device
    batch = photo(*size, device)
    row = {"height": size[0], "width": size[1], "dtype": str(dtype)}
    # one after the other: none finds memory taken by another
    _time(report, "eager channels_last", lambda: _plain(model, dtype, batch, True), row)
    _time(report, "kernels", lambda: _engine(KernelEngine(model, device, dtype, table), batch), row)
    _time(report, "kernels, tail in tiles", lambda: _tiled(model, dtype, table, batch), row)
    # what Upscaler takes unasked: bands of rows, and graphs for small pictures
    _time(report, "eager engine", lambda: _engine(make_engine(model, device, dtype, "eager"), batch), row)
    _time(report, "eager NCHW", lambda: _plain(model, dtype, batch, False), row)


def time_halo(
    report: Report, model: RRDBNet, table: Table, sizes: Sequence[Size], dtype: torch.dtype
) -> None:
    """The halo kernel, and beside it the other kernels again."""
    for size in sizes:
        batch = photo(*size, report.device)
        row = {"height": size[0], "width": size[1], "dtype": str(dtype)}

        def prepare(halo: bool, batch: Tensor = batch) -> Run:
            return _engine(KernelEngine(model, report.device, dtype, table, halo), batch)

        _time(report, "halo kernel", partial(prepare, True), row)
        _time(report, "kernels", partial(prepare, False), row)


def time_launches(report: Report, model: RRDBNet, table: Table, size: Size, dtype: torch.dtype) -> None:
    """A small picture: whole calls, from the graph and without, beside the device's work alone."""
    engine = KernelEngine(model, report.device, dtype, table)
    batch = photo(*size, report.device)

    def one_by_one() -> Tensor:
        engine.forget_graphs()
        return _run(engine, batch)

    report.warm(lambda: _run(engine, batch))
    call = report.milliseconds(lambda: _run(engine, batch), 50)
    shape = FlatShape(1, size[0] // engine.unshuffle, size[1] // engine.unshuffle)
    trunk, tail = engine.trunk_buffers(shape), engine.tail_buffers(shape)
    steps = [*engine.network.trunk(trunk), *engine.network.tail(tail)]
    work = report.graph_milliseconds(lambda: engine.run_steps(steps), 1)
    engine.forget_graphs()
    # the picture that is launched, the one that is captured and replayed, and the one that is replayed
    first, captured, replayed = (report.once_milliseconds(lambda: _run(engine, batch)) for _ in range(3))
    report.add(
        "launches",
        height=size[0],
        width=size[1],
        dtype=str(dtype),
        ms=call,
        device_ms=work,
        overhead=round(1 - work / call, 3),
        one_by_one_ms=report.milliseconds(one_by_one, 50),
        first_ms=first,
        capture_ms=captured,
        replay_ms=replayed,
    )


def time_compiled(
    report: Report, model: RRDBNet, size: Size, dtype: torch.dtype, by_block: bool, backend: str = "inductor"
) -> None:
    """`torch.compile` in its default mode, channels_last: the whole network, or its RRDBs, which share code.

    On two cores the whole takes 80 s to compile, an RRDB 2 s.
    """
    batch = photo(*size, report.device)
    row = {"height": size[0], "width": size[1], "dtype": str(dtype)}

    def prepare() -> Run:
        half: Any = _copy(model, dtype, report.device, True)
        strided = batch.to(dtype).contiguous(memory_format=torch.channels_last)
        if by_block:
            for rrdb in half.rrdbs():
                rrdb.compile(backend=backend)
            return lambda: half(strided)
        compiled: Any = torch.compile(half, backend=backend)
        return lambda: compiled(strided)

    _time(report, f"compiled {'by RRDB' if by_block else 'whole'}, channels_last", prepare, row)


def time_video(report: Report, model: CompactNet, table: Table, size: Size, dtype: torch.dtype) -> None:
    """Frames a second of a small network: PyTorch in channels_last, and the kernels, both from a graph.

    The kernels begin and end with bytes; PyTorch's passes from and to bytes are not counted.
    """
    batch = photo(*size, report.device)
    row = {"height": size[0], "width": size[1], "dtype": str(dtype)}
    with torch.inference_mode(), computing(report.device):
        exact = _levels(model.to(report.device)(batch))
    with torch.inference_mode():
        plain = _plain(model, dtype, batch, True)
        report.warm(plain)
        ms = report.graph_milliseconds(plain, 1)
        _add_video(report, "eager channels_last", ms, row, _psnr(_levels(plain()), exact))
        kernels = CompactKernels(model, report.device, dtype, table)
        pixels = batch[0].permute(1, 2, 0).mul(255).round().to(torch.uint8).contiguous()
        report.warm(lambda: kernels(pixels))
        ms = report.milliseconds(lambda: kernels(pixels))
        levels = kernels(pixels).permute(2, 0, 1)[None].float()
        _add_video(report, "kernels, bytes to bytes", ms, row, _psnr(levels, exact))


def _add_video(report: Report, name: str, ms: float, row: dict[str, Any], psnr: float) -> None:
    rate = round(1e3 / ms, 1)
    report.add("video", name=name, **row, ms=ms, frames_per_second=rate, psnr=psnr)


def _time(report: Report, name: str, prepare: Callable[[], Run], row: dict[str, Any]) -> None:
    """Time of what `prepare` makes, and its memory: all that it holds and what a call takes.

    The calls before do not count: cuDNN takes more while it searches.
    """
    if report.left() <= 0:
        return
    gc.collect()
    before = report.held_bytes()
    with torch.inference_mode():
        run = prepare()
        report.warm(run)
        ms = report.milliseconds(run)
        peak = report.peak_bytes(run, before)
    tflops = round(flop_per_pixel() * row["height"] * row["width"] / ms / 1e9, 1)
    report.add("network", name=name, **row, ms=ms, tflops=tflops, peak_mib=round(peak / 2**20))


def flop_per_pixel() -> float:
    """Of RRDB-23, x4, an input pixel; a multiplication and an addition are two."""
    with torch.device("meta"):
        network = RRDBNet()
    return 2 * work_of(network, (1, 16, 16, 3)).multiply_adds / 16**2


def _copy(model: Generator, dtype: torch.dtype, device: torch.device, last: bool) -> Any:
    half: Any = copy.deepcopy(model).to(device, dtype)
    return half.to(memory_format=torch.channels_last) if last else half


def _plain(model: Generator, dtype: torch.dtype, batch: Tensor, last: bool) -> Run:
    half = _copy(model, dtype, batch.device, last)
    narrow = batch.to(dtype, memory_format=torch.channels_last if last else torch.contiguous_format)
    return lambda: half(narrow)


def _engine(engine: Engine, batch: Tensor) -> Run:
    return lambda: _run(engine, batch)


def _tiled(model: RRDBNet, dtype: torch.dtype, table: Table, batch: Tensor) -> Run:
    engine = KernelEngine(model, batch.device, dtype, table)
    return lambda: _in_tiles(engine, batch)


def _run(engine: Engine, batch: Tensor) -> Tensor:
    with torch.inference_mode():
        return engine.tail(engine.trunk(batch, _ignore))


def _in_tiles(engine: KernelEngine, batch: Tensor) -> Tensor:
    """As Upscaler: the trunk whole, the tail in tiles with a halo; the last tile is returned."""
    features = engine.trunk(batch, _ignore)
    result = features
    for top in range(0, features.shape[2], TAIL):
        for left in range(0, features.shape[3], TAIL):
            rows = slice(max(top - HALO, 0), top + TAIL + HALO)
            columns = slice(max(left - HALO, 0), left + TAIL + HALO)
            result = engine.tail(features[:, :, rows, columns])
    return result


def _levels(values: Tensor) -> Tensor:
    return rounded_levels(values.float())


def _psnr(picture: Tensor, exact: Tensor) -> float:
    return round(min(decibels((picture - exact).square().mean().item()), 99.0), 2)


def _ignore(_: float) -> None:
    """No progress is shown."""
