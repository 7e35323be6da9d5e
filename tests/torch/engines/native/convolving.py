"""One convolution by the library, between memory that nobody may read."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_torch.engines.describing import PICTURE, RESULT, Activation, Kind
from esrgan_torch.engines.native.library import Runner
from esrgan_torch.engines.native.program import Builder
from esrgan_torch.engines.native.winograd import padded
from tests.torch.engines.native.levels import library

GUARD = 4096  # floats of NaN before and after


class Guarded:
    """A map in the middle of NaN, which shows what reads or writes beside it."""

    def __init__(self, values: Tensor) -> None:
        count = values.numel()
        self._memory = torch.full((count + 2 * GUARD,), torch.nan)
        self.values = self._memory[GUARD : GUARD + count].view(values.shape)
        self.values.copy_(values)
        self._before = values.clone()

    def is_alone(self) -> bool:
        return bool(self._memory[:GUARD].isnan().all() and self._memory[-GUARD:].isnan().all())

    def is_unchanged(self) -> bool:
        return self.is_alone() and torch.equal(self.values, self._before)


def channels_last(values: Tensor) -> Tensor:
    """(1, C, H, W) -> (H, W, padded C), zeros in what is added."""
    channels = values.shape[1]
    return F.pad(values[0].permute(1, 2, 0), (0, padded(channels) - channels)).contiguous()


def convolved(
    layer: nn.Conv2d,
    batches: Tensor | Sequence[Tensor],
    level: str,
    activation: Tensor | float | Activation = Activation.NONE,
    residual: float | None = None,
    enlarge: bool = False,
    tiles: int = 0,
    threads: int = 1,
) -> Tensor:
    """The layer by the library on maps whose channels follow one another, as float64.

    Where `residual` is given: the result times it, and the first of the maps is added.
    """
    parts = [batches] if isinstance(batches, Tensor) else list(batches)
    number, lanes = library().levels()[level]
    builder = Builder(lanes)
    builder.map(parts[0].shape[1], Kind.GIVEN)
    builder.map(layer.out_channels, Kind.GIVEN, 2 if enlarge else 1)
    maps = [PICTURE, *[builder.map(part.shape[1], Kind.GIVEN) for part in parts[1:]]]
    residuals = [] if residual is None else [(residual, PICTURE)]
    widths = None if len(parts) == 1 else [part.shape[1] for part in parts]
    builder.convolution(layer, maps, RESULT, [], activation, residuals, widths, enlarge)
    builder.phase(1)
    height, width = parts[0].shape[-2:]
    sources = [Guarded(channels_last(part)) for part in parts]
    size = (height * 2, width * 2) if enlarge else (height, width)
    target = Guarded(torch.full((*size, padded(layer.out_channels)), torch.nan))
    runner = Runner(library(), builder.program(), number, threads, tiles)
    runner._kept = torch.full((-(-runner.bytes(height, width) // 4),), torch.nan).view(torch.uint8)
    given = {map_: source.values for map_, source in zip(maps, sources, strict=True)}
    runner.run(height, width, {**given, RESULT: target.values}, lambda share: None)
    assert all(source.is_unchanged() for source in sources)
    assert target.is_alone()
    assert not target.values.isnan().any()
    assert not target.values[..., layer.out_channels :].any()
    return target.values[..., : layer.out_channels].permute(2, 0, 1)[None].double()


def layer_of(inputs: int, outputs: int, side: int = 3) -> nn.Conv2d:
    torch.manual_seed(inputs * 100 + outputs)
    layer = nn.Conv2d(inputs, outputs, side, padding=side // 2)
    assert layer.bias is not None
    nn.init.uniform_(layer.bias, -0.3, 0.3)
    return layer.requires_grad_(requires_grad=False)
