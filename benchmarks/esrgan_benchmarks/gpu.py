"""One run on a GPU, see benchmarks/gpu.sh: ceilings, checks, networks, layers, a sweep, `torch.compile`.

Sections stand in the order of what one most wants to know, and each takes what time is left.
"""

import argparse
import os
import sys
from functools import partial
from pathlib import Path

import torch
from torch import nn

from esrgan_benchmarks import gpu_layers, gpu_networks
from esrgan_benchmarks.gpu_report import Report
from esrgan_torch.generator import RRDBNet
from esrgan_torch.kernels.flat import FlatShape
from esrgan_torch.kernels.halo.blocks import CUBIN, multiprocessors
from esrgan_torch.kernels.tuning import Kind, table_for

OFFICIAL = "realesrgan-x4plus"
HOPPER = (9, 0)


def main() -> int:
    """Returns 1 where a section failed or a result was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=float, default=510.0, help="seconds for everything")
    parser.add_argument("--dry", action="store_true", help="tiny sizes on the CPU: does it run?")
    options = parser.parse_args()
    device = torch.device("cpu" if options.dry else "cuda")
    folder = Path(os.environ.get("OUT", "."))
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(folder / "gpu.jsonl", options.budget, device)
    torch.backends.cudnn.benchmark = True
    run(report, options.dry)
    print("failed:", ", ".join(report.failed) or "nothing")
    return int(bool(report.failed))


def run(report: Report, dry: bool) -> None:
    """All sections."""
    capability = HOPPER if dry else torch.cuda.get_device_capability(report.device)
    table, half = table_for(capability), torch.float16
    # the interpreter cannot multiply bfloat16
    dtypes = (half,) if dry else (half, torch.bfloat16)
    small = seeded(1, features=16, growth=16, scale=2) if dry else seeded(1)
    model, weights = (small, "seeded") if dry else network()
    sms = 0 if dry else multiprocessors(report.device)
    report.add("device", capability=capability, weights=weights, sms=sms)
    sizes = [(3, 4)] if dry else [(128, 128), (256, 256), (512, 512), (720, 1280)]
    odd, large = (FlatShape(1, 3, 5),) * 2 if dry else (FlatShape(2, 67, 93), FlatShape(1, 512, 512))
    kinds: tuple[Kind, ...] = (
        ("rows-descriptor", "rows", "taps") if capability == HOPPER else ("rows", "taps")
    )

    section = report.section
    section("ceilings", 10, partial(ceilings, report, 64 if dry else 8192))
    section("checks", 10, partial(gpu_layers.check_layers, report, small, table, odd, dtypes))
    section("network", 10, partial(gpu_networks.check_network, report, model, table, sizes[0], dtypes))
    section("times", 10, partial(gpu_networks.time_networks, report, model, table, sizes, half, False))
    section("launches", 5, partial(gpu_networks.time_launches, report, model, table, 3 if dry else 64, half))
    if not dry and capability == HOPPER and CUBIN.exists():
        check = partial(gpu_networks.check_network, report, model, table, (203, 300), dtypes, True)
        section("halo", 10, check)
        section(
            "halo times", 10, partial(gpu_networks.time_networks, report, model, table, sizes, half, True)
        )
    section("layers", 10, partial(gpu_layers.time_layers, report, small, table, large, half))
    reserve, tries = (0.0, 1) if dry else (120.0, None)
    section("sweep", 10, partial(gpu_layers.sweep_layers, report, small, large, half, kinds, reserve, tries))
    backend = "eager" if dry else "inductor"
    size = sizes[0] if dry else (512, 512)
    section("compiled", 5, partial(gpu_networks.time_compiled, report, model, size, half, backend))


def ceilings(report: Report, size: int) -> None:
    """A large copy and a large matrix product."""
    source = torch.empty(32 * size * size, dtype=torch.uint8, device=report.device).random_()
    target = torch.empty_like(source)
    ms = report.milliseconds(lambda: target.copy_(source))
    report.add("ceiling", what="copy", terabytes_per_second=round(2 * source.numel() / ms / 1e9, 3))
    for dtype in (torch.float16, torch.bfloat16):
        left = torch.randn(size, size, device=report.device).to(dtype)
        right = torch.randn(size, size, device=report.device).to(dtype)
        ms = report.milliseconds(lambda left=left, right=right: left @ right)
        tflops = round(2 * size**3 / ms / 1e9, 1)
        report.add("ceiling", what="matrix product", dtype=str(dtype), tflops=tflops)


def network() -> tuple[RRDBNet, str]:
    """RRDB-23 with official weights where they are in the cache, else with seeded ones."""
    try:
        from esrgan_weights import load

        model = load(OFFICIAL)
    except Exception as error:  # no cache and no network, or a package that a bare machine lacks
        print(f"official weights: {type(error).__name__}: {error}; seeded ones are used", file=sys.stderr)
        return seeded(23), "seeded"
    assert isinstance(model, RRDBNet)
    return model.eval().requires_grad_(False), OFFICIAL


def seeded(blocks: int, **sizes: int) -> RRDBNet:
    """An RRDBNet with random weights whose values stay as large as trained ones'."""
    torch.manual_seed(0)
    model = RRDBNet(blocks=blocks, **sizes)
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.uniform_(module.bias, -0.1, 0.1)
    return model.eval().requires_grad_(False)


if __name__ == "__main__":
    sys.exit(main())
