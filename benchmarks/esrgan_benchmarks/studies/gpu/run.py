"""Sections of a run on a GPU, by name, in the order in which they are given; `gpu` starts this in groups."""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from esrgan_benchmarks.studies.gpu import halo as gpu_halo
from esrgan_benchmarks.studies.gpu import layers as gpu_layers
from esrgan_benchmarks.studies.gpu import networks as gpu_networks
from esrgan_benchmarks.studies.gpu import sweep as gpu_sweep
from esrgan_benchmarks.studies.gpu.inputs import PHOTO_SIZE, compact, official_network, seeded
from esrgan_benchmarks.studies.gpu.report import Report
from esrgan_torch.engines.cuda.flat import FlatShape
from esrgan_torch.engines.cuda.halo.blocks import CUBIN, multiprocessors
from esrgan_torch.engines.cuda.tuning import Capability, table_for

HOPPER: Capability = (9, 0)
# the most important size first; the second one is that of a frame of video
SIZES = [(512, 512), (720, 1280), (256, 256), (128, 128)]
HALO_SIZE = (203, 300)
VIDEO_CONVOLUTIONS = 32  # of realesr-general-x4v3


def main(arguments: list[str] | None = None) -> int:
    """Returns 1 where a section failed or a result was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", help="names, separated by commas")
    parser.add_argument("--rows", type=Path, required=True, help="file of the rows")
    parser.add_argument("--budget", type=float, required=True, help="seconds for everything")
    parser.add_argument("--run", required=True, help="what the rows of one run have in common")
    parser.add_argument("--commit", default="", help="of the code")
    parser.add_argument("--dry", action="store_true", help="tiny sizes on the CPU")
    options = parser.parse_args(arguments)
    device = torch.device("cpu" if options.dry else "cuda")
    report = Report(options.rows, options.budget, device, {"run": options.run, "commit": options.commit})
    torch.backends.cudnn.benchmark = True
    known = sections(report, options.dry)
    for name in options.sections.split(","):
        report.section(name, 5, known[name])
    print("failed:", ", ".join(report.failed) or "nothing")
    return int(bool(report.failed))


def sections(report: Report, dry: bool) -> dict[str, Callable[[], None]]:
    """All sections by their names; nothing is computed until one is called."""
    device, half = report.device, torch.float16
    capability = HOPPER if dry else torch.cuda.get_device_capability(device)
    table = table_for(capability)
    # the interpreter cannot multiply bfloat16
    dtypes = (half,) if dry else (half, torch.bfloat16)
    small = seeded(1, features=16, growth=16, scale=2) if dry else seeded(1)
    model, weights = (small, "seeded") if dry else official_network()
    sizes = [(3, 4)] if dry else SIZES
    tiny = FlatShape(1, 3, 5) if dry else FlatShape(1, 9, 40)
    odd = tiny if dry else FlatShape(2, 67, 93)
    large = tiny if dry else FlatShape(1, 512, 512)
    backend = "eager" if dry else "inductor"
    video = compact(features=16, convolutions=1, scale=2) if dry else compact(convolutions=VIDEO_CONVOLUTIONS)
    checked = sizes[0] if dry else PHOTO_SIZE
    network, layers, sweep = gpu_networks, gpu_layers, gpu_sweep
    found: dict[str, Callable[[], None]] = {
        "device": partial(_device, report, weights),
        "ceilings": partial(ceilings, report, 64 if dry else 8192),
        "checks": partial(layers.check_layers, report, small, table, odd, dtypes),
        "network": partial(network.check_network, report, model, weights, table, dtypes, checked),
        "times": partial(network.time_networks, report, model, table, sizes, half),
        "launches": partial(network.time_launches, report, model, table, (3, 3) if dry else (64, 64), half),
        "video": partial(network.time_video, report, video, table, sizes[0] if dry else SIZES[1], half),
        "compiled-by-block": partial(network.time_compiled, report, model, sizes[0], half, True, backend),
        "compiled": partial(network.time_compiled, report, model, sizes[0], half, False, backend),
        "layers": partial(layers.time_layers, report, small, table, large, half),
        "sweep": partial(
            sweep.sweep_layers, report, small, table, large, half, capability, 1 if dry else None
        ),
        "tiny": partial(layers.run_kinds, report, small, table, tiny, half),
        "watched": partial(layers.run_kinds, report, small, table, large, half),
    }
    halo: dict[str, Callable[[], None]] = {
        "halo-checks": partial(gpu_halo.check_convolutions, report, model, dtypes),
        "halo-network": partial(
            network.check_network, report, model, weights, table, dtypes, HALO_SIZE, True
        ),
        "halo-times": partial(network.time_halo, report, model, table, sizes, half),
        "halo-tiny": partial(gpu_halo.check_convolutions, report, model, (half,)),
    }
    reason = _no_halo(capability, dry)
    if reason:
        halo = {name: partial(report.add, "left out", section=name, error=reason) for name in halo}
    return found | halo


def ceilings(report: Report, size: int) -> None:
    """A large copy, one within the L2 cache, and a large matrix product."""
    source = torch.empty(32 * size * size, dtype=torch.uint8, device=report.device).random_()
    target = torch.empty_like(source)
    ms = report.milliseconds(lambda: target.copy_(source))
    report.add("ceiling", what="copy", terabytes_per_second=round(2 * source.numel() / ms / 1e9, 3))
    # what limits tiles that are read again and again
    part, copy = source[: 12 * 2**20], target[: 12 * 2**20]
    ms = report.graph_milliseconds(lambda: copy.copy_(part), 50)
    report.add("ceiling", what="copy in L2", terabytes_per_second=round(2 * part.numel() / ms / 1e9, 3))
    for dtype in (torch.float16, torch.bfloat16):
        left = torch.randn(size, size, device=report.device).to(dtype)
        right = torch.randn(size, size, device=report.device).to(dtype)
        ms = report.graph_milliseconds(lambda left=left, right=right: left @ right, 3)
        tflops = round(2 * size**3 / ms / 1e9, 1)
        report.add("ceiling", what="matrix product", dtype=str(dtype), tflops=tflops)


def _device(report: Report, weights: str) -> None:
    sms = multiprocessors(report.device) if report.device.type == "cuda" else 0
    report.add("device", weights=weights, sms=sms, halo_built=CUBIN.exists())


def _no_halo(capability: Capability, dry: bool) -> str | None:
    if dry:
        return "a dry run has no device for the halo kernel"
    if capability != HOPPER:
        return "the halo kernel is for compute capability 9.0"
    return None if CUBIN.exists() else "the halo kernel was not built"


if __name__ == "__main__":
    sys.exit(main())
