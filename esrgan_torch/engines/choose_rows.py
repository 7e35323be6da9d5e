"""Which engine computes a picture by rows, where its trunk does not fit in memory whole."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.choose import make_engine
from esrgan_torch.engines.describing import Describing
from esrgan_torch.engines.kinds import EngineName
from esrgan_torch.engines.native.engine import is_faster
from esrgan_torch.engines.native.program_compact import describe_compact
from esrgan_torch.engines.native.program_rrdb import describe_rrdb
from esrgan_torch.engines.native.program_span import describe_span
from esrgan_torch.engines.ncnn.vulkan import VULKAN
from esrgan_torch.engines.row_layers import LayerRowTrunk
from esrgan_torch.engines.rows import RowTrunk
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RRDBNet
from esrgan_torch.networks.span import SPAN

_DESCRIBED: tuple[tuple[type[Generator], Callable[[Any, Describing], None]], ...] = (
    (RRDBNet, describe_rrdb),
    (CompactNet, describe_compact),
    (SPAN, describe_span),
)


@dataclass(frozen=True)
class RowEngine:
    """A network by rows, in float32.

    Args:
        trunk: of it.
        engine: computes the tail, on the same device.
    """

    trunk: RowTrunk
    engine: Engine

    def bytes(self, height: int, width: int, rows: int) -> int:
        """Memory on the device for a picture of so many input pixels, the result apart.

        Args:
            height, width: multiples of the network's `unshuffle`.
            rows: of features that go through the tail together.
        """
        columns = width // self.engine.unshuffle
        features = 4 * self.trunk.features * rows * columns
        tail = self.engine.tail_bytes(rows, min(rows, columns))
        # of 8 or 16 bits as they are made, and as the caller holds the ones before
        large = 2 * 3 * 2 * rows * columns * (self.engine.unshuffle * self.engine.scale) ** 2
        return self.trunk.rows_bytes(height, width) + features + tail + large


def make_row_engine(
    model: Generator, device: torch.device, made: Engine, engine: EngineName = "auto"
) -> RowEngine | None:
    """Make the engine that computes this network by rows; None for networks of other projects, and on devices
    without PyTorch.

    Args:
        model, device: what runs where.
        made: what computes pictures that fit: taken for this too where it can.
        engine: its name, as of `make_engine`.
    """
    describe = next((known for kind, known in _DESCRIBED if type(model) is kind), None)
    if device.type == VULKAN or describe is None:
        return None
    trunk = made.by_rows()
    if trunk is not None:
        return RowEngine(trunk, made)
    if engine == "auto" and device.type == "cpu" and is_faster(torch.float32):
        native = make_engine(model, device, torch.float32, "native")
        trunk = native.by_rows()
        if trunk is not None:
            return RowEngine(trunk, native)
    plain = made if made.dtype == torch.float32 else make_engine(model, device, torch.float32, "eager")
    weights = next(model.parameters())
    network = model
    if (weights.device, weights.dtype) != (device, torch.float32):
        network = copy.deepcopy(model).to(device, torch.float32)
    return RowEngine(LayerRowTrunk(network, partial(describe, network)), plain)
