"""Small networks and ways to train them, compared at equal processor time: how esrgan-lite-x4 was chosen.

    python -m esrgan_benchmarks sweep --data DIR... --validation DIR [--seconds N]

Every case trains on one thread for so many seconds of processor time, which other programs do not
shorten, with a cosine that ends there; then its moving average is measured.
"""

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from esrgan_benchmarks.core.cases import work_of
from esrgan_benchmarks.core.record import Row, append
from esrgan_torch.train.assemble import assemble
from esrgan_torch.train.data.batches import Crops
from esrgan_torch.train.data.pictures import Pair, prepare
from esrgan_torch.train.losses import luma_loss, pixel_loss
from esrgan_torch.train.options import DataOptions, NetworkOptions, OptimiserOptions, Options
from esrgan_torch.train.schedule import learning_rate
from esrgan_torch.train.validation import validate

WARM_UP = 100  # steps


@dataclass(frozen=True)
class Case:
    """One way: a network, its initial weights, how it is fed, and the luma loss's share of the loss."""

    network: NetworkOptions
    patch: int = 128
    batch: int = 8
    rate: float = 1e-3
    luma: float = 0.0

    @property
    def name(self) -> str:
        """Such as "CompactNet 48 x 16"."""
        network = self.network
        if network.kind == "CompactNet":
            return f"CompactNet {network.features} x {network.convolutions}"
        return f"RRDBNet {network.features}/{network.blocks}/{network.growth}"


def compact(features: int, convolutions: int) -> NetworkOptions:
    """A CompactNet that starts as the identity."""
    return NetworkOptions("CompactNet", features, convolutions=convolutions, init="identity")


CASES = (
    Case(compact(48, 16)),
    Case(NetworkOptions("CompactNet", 48, convolutions=16, init="scaled")),
    Case(compact(48, 16), rate=2e-3),
    Case(compact(48, 16), patch=96),
    Case(compact(48, 16), patch=96, luma=0.5),
    Case(compact(48, 16), patch=96, luma=0.85),
    Case(compact(32, 16)),
    Case(compact(32, 24)),
    Case(compact(64, 12)),
    Case(NetworkOptions("RRDBNet", 24, 2, 12)),
)


def measure(case: Case, pairs: Sequence[Pair], validation: Path, seconds: float) -> Row:
    """Train one case and measure its moving average."""
    torch.manual_seed(0)
    optimiser = OptimiserOptions(rate=case.rate, schedule="cosine")
    options = Options(
        ema=0.995, network=case.network, data=DataOptions(patch=case.patch), optimiser=optimiser
    )
    parts = assemble(options, None)
    crops = Crops(pairs, case.patch, 4, case.batch, seed=0)
    started = time.process_time()
    step = 0
    while (used := time.process_time() - started) < seconds:
        # the cosine goes over the time, the warm-up over steps
        rate = learning_rate(int(used / seconds * 10_000), 10_000, optimiser)
        for group in parts.optimiser.param_groups:
            group["lr"] = rate * min(1, (step + 1) / WARM_UP)
        small, large = crops[step]
        output = parts.generator(small.contiguous(memory_format=torch.channels_last))
        loss = (1 - case.luma) * pixel_loss(output, large) + case.luma * luma_loss(output, large)
        if not math.isfinite(loss.item()):
            raise AssertionError(f"{case.name}: the loss of step {step} is {loss.item()}")
        parts.optimiser.zero_grad()
        loss.backward()
        parts.optimiser.step()
        parts.average.update(parts.generator)
        step += 1
    network = parts.average.network
    return {
        "network": case.name,
        "init": case.network.init,
        "rate": case.rate,
        "patch": case.patch,
        "batch": case.batch,
        "luma": case.luma,
        "parameters": sum(values.numel() for values in network.parameters()),
        "multiply_adds": work_of(network, (1, 16, 16, network.in_channels)).multiply_adds // 16**2,
        "processor_seconds": seconds,
        "steps": step,
        "dataset": validation.name,
        "psnr_y": round(validate(network, validation).psnr, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", required=True, help="folders of originals")
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("runs/pictures"))
    parser.add_argument("--seconds", type=float, default=55)
    options = parser.parse_args()
    torch.set_num_threads(1)
    pairs = prepare(tuple(options.data), (), options.cache, 4, 128)
    for case in CASES:
        row = measure(case, pairs, options.validation, options.seconds)
        print(f"{row['network']}, {row['init']}: {row['steps']} steps, {row['psnr_y']} dB", flush=True)
        append("sweep", [row])
