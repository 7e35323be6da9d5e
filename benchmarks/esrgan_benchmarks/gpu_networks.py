"""The whole network: PyTorch in its forms, and the kernels; time, memory and distance to float32."""

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from esrgan_benchmarks.gpu_report import Report
from esrgan_torch.engine import RRDBEngine
from esrgan_torch.generator import RRDBNet
from esrgan_torch.kernels.engine import KernelEngine
from esrgan_torch.kernels.tuning import Table

FLOP_PER_PIXEL = 35.854e6  # of RRDB-23, x4, an input pixel
TAIL = 128  # feature pixels: what Upscaler cuts the tail into
HALO = 2


def picture(height: int, width: int, device: torch.device) -> Tensor:
    """(1, 3, H, W) in [0, 1]: gradients, rings and noise, always the same."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    noise = torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    values = 0.5 + 0.2 * torch.sin(40 * (x * x + y * y)) + 0.2 * x + 0.05 * noise
    return values.clamp(0, 1).to(device)


def check_network(
    report: Report,
    model: RRDBNet,
    table: Table,
    size: tuple[int, int],
    dtypes: Sequence[torch.dtype],
    halo: bool = False,
) -> None:
    """The 8-bit picture against float32's, and the same picture again from the captured graph."""
    batch = picture(*size, report.device)
    exact = _levels(_run(RRDBEngine(model, report.device, torch.float32), batch))
    for dtype in dtypes:
        eager = _levels(_run(RRDBEngine(model, report.device, dtype), batch))
        engine = KernelEngine(model, report.device, dtype, table, halo)
        results = [_run(engine, batch) for _ in range(3)]
        same = all(torch.equal(result, results[0]) for result in results)
        ours = _psnr(_levels(results[0]), exact)
        report.add(
            "network check",
            halo=halo,
            dtype=str(dtype),
            psnr=ours,
            eager_psnr=_psnr(eager, exact),
            replay_is_equal=same,
        )
        if not same or not ours > 40:
            report.failed.append(f"network check {dtype} halo={halo}")


def time_networks(
    report: Report, model: RRDBNet, table: Table, sizes: list[tuple[int, int]], dtype: torch.dtype, halo: bool
) -> None:
    """Eager PyTorch in both layouts, the engine with bands, and the kernels."""
    device = report.device
    half = copy.deepcopy(model).to(device, dtype)
    last = channels_last(half)
    bands = RRDBEngine(model, device, dtype)
    ours = KernelEngine(model, device, dtype, table)
    for height, width in sizes:
        batch = picture(height, width, device)
        narrow = batch.to(dtype)
        strided = narrow.contiguous(memory_format=torch.channels_last)
        cases: dict[str, Callable[[], Tensor]] = {
            "eager NCHW": lambda narrow=narrow: half(narrow),
            "eager channels_last": lambda strided=strided: last(strided),
            "engine in bands": lambda batch=batch: _run(bands, batch),
            "kernels": lambda batch=batch: _run(ours, batch),
            "kernels, tail in tiles": lambda batch=batch: _in_tiles(ours, batch),
        }
        if halo:
            engine = KernelEngine(model, device, dtype, table, True)
            cases["halo kernel"] = lambda batch=batch, engine=engine: _run(engine, batch)
        for name, run in cases.items():
            _time(report, name, run, height, width, dtype)
        trunk = ours.trunk_bytes(height, width) + ours.tail_bytes(height, width)
        report.add("held", height=height, width=width, bytes_beyond_held=trunk)


def time_launches(report: Report, model: RRDBNet, table: Table, size: int, dtype: torch.dtype) -> None:
    """A small picture from the graph, and launched one by one."""
    ours = KernelEngine(model, report.device, dtype, table)
    batch = picture(size, size, report.device)
    _time(report, "kernels", lambda: _run(ours, batch), size, size, dtype)

    def one_by_one() -> Tensor:
        ours.forget_graphs()
        return _run(ours, batch)

    _time(report, "kernels, launched one by one", one_by_one, size, size, dtype)


def time_compiled(
    report: Report, model: RRDBNet, size: tuple[int, int], dtype: torch.dtype, backend: str = "inductor"
) -> None:
    """`torch.compile` in its default mode, channels_last."""
    half = channels_last(copy.deepcopy(model).to(report.device, dtype))
    compiled: Any = torch.compile(half, backend=backend)
    batch = picture(*size, report.device).to(dtype).contiguous(memory_format=torch.channels_last)
    _time(report, "compiled channels_last", lambda: compiled(batch), *size, dtype)


def channels_last(model: RRDBNet) -> RRDBNet:
    """A copy with its weights in the layout of NHWC."""
    result: Any = copy.deepcopy(model)
    return result.to(memory_format=torch.channels_last)


def _time(
    report: Report, name: str, run: Callable[[], Tensor], height: int, width: int, dtype: torch.dtype
) -> None:
    with torch.inference_mode():
        run()
        run()  # captures
        ms = report.milliseconds(run, 300)
        peak = report.peak_bytes(run)
    flop = FLOP_PER_PIXEL * height * width
    report.add(
        "network",
        name=name,
        height=height,
        width=width,
        dtype=str(dtype),
        ms=ms,
        tflops=round(flop / ms / 1e9, 1),
        peak_mib=round(peak / 2**20),
    )


def _run(engine: RRDBEngine | KernelEngine, batch: Tensor) -> Tensor:
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
    return values.float().clamp(0, 1).mul(255).round()


def _psnr(picture: Tensor, exact: Tensor) -> float:
    error = (picture - exact).square().mean().item()
    if math.isnan(error):
        return 0.0
    return round(10 * math.log10(255**2 / error), 2) if error else 99.0


def _ignore(_: float) -> None:
    """No progress is shown."""
