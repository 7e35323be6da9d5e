"""What is measured: a network on an input of one shape, with the work that this is."""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from esrgan_bridge.parity.probes import Batch
from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator
from esrgan_torch.quantise import to_levels


@dataclass(frozen=True)
class Case:
    """A network and the input's size in pixels.

    Args:
        network: published name, or a checkpoint's path.
        height, width: of each picture.
        batch: pictures at once.

    Raises:
        ConfigError: a size below 1.
    """

    network: str
    height: int
    width: int
    batch: int = 1

    def __post_init__(self) -> None:
        if min(self.height, self.width, self.batch) < 1:
            raise ConfigError(f"height, width and batch are 1 or more: {self}")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, H, W, C)."""
        return self.batch, self.height, self.width, 3

    def __str__(self) -> str:
        times = f"{self.batch} x " if self.batch > 1 else ""
        return f"{self.network}, {times}{self.height}x{self.width}"


@dataclass(frozen=True)
class Work:
    """What a case costs, layer by layer.

    Args:
        multiply_adds: of all convolutions.
        traffic: bytes in float32 where each convolution reads its input and weights and writes its output
            once: what must move if nothing is kept between layers.
        largest: bytes of the input and output of the largest convolution.
    """

    multiply_adds: int
    traffic: int
    largest: int

    @property
    def intensity(self) -> float:
        """Operations (two a multiply-add) a byte."""
        return 2 * self.multiply_adds / self.traffic


def work_of(model: Generator, shape: tuple[int, int, int, int]) -> Work:
    """Count the work of one run on a batch (N, H, W, C), without computing it."""
    traffic = largest = 0

    def count(module: nn.Module, given: tuple[Tensor, ...], result: Tensor) -> None:
        nonlocal traffic, largest
        held = 4 * (given[0].numel() + result.numel())
        largest = max(largest, held)
        traffic += held + 4 * sum(values.numel() for values in module.parameters())

    sketch = copy.deepcopy(model).to("meta")
    for module in sketch.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    batch, height, width, channels = shape
    counter = FlopCounterMode(display=False)
    with counter, torch.inference_mode():
        sketch(torch.empty(batch, channels, height, width, device="meta"))
    return Work(counter.get_total_flops() // 2, traffic, largest)


def sample(shape: tuple[int, int, int, int]) -> Batch:
    """Pictures (N, H, W, 3) of 8-bit levels, float32 in [0, 1]: slopes, edges in all directions, some noise.

    The same on every machine of one numpy; speed does not depend on it, parity should.
    """
    batch, height, width, channels = shape
    random = np.random.default_rng(0)
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    rings = np.sin(20 * (x * x + y * y)) * 0.2
    edges = np.where(np.sin(15 * x + 7 * y) > 0, 0.15, -0.15)
    planes = 0.5 + 0.2 * x + rings + edges
    noise = random.normal(0, 0.03, (batch, height, width, channels))
    levels = to_levels(planes[None, :, :, None] + noise)
    return levels.astype(np.float32) / np.float32(255)


def height_and_width(text: str) -> tuple[int, int]:
    """What HxW means, such as 240x320; for argparse, which tells of a ValueError."""
    height, width = map(int, text.split("x"))
    return height, width
