"""A trunk by rows with PyTorch's operators, on any of its devices: where the native engine does not run.

It is that engine's reference too.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_torch.engines.computing import computing
from esrgan_torch.engines.describing import PICTURE, RESULT, Activation, Describing, Kind
from esrgan_torch.engines.rows import Rows, RowTrunk
from esrgan_torch.networks.base import Generator

BAND = 32  # rows that go through all layers together
KEPT = 8  # quarters of that: what is let go of stays with the process a while
WORK = 4  # planes of a convolution's inputs and outputs: as they are, and as oneDNN lays them out


@dataclass
class Step:
    """An operation.

    Args:
        sources, target: maps.
        waits: operations that it does not run ahead of.
        reach: rows that it sees above and below.
        residuals: maps that it reads too.
        compute: (1, C, rows + 2 * reach, W) and the residuals' rows -> the target's rows.
        made: rows of the target so far.
    """

    sources: Sequence[int]
    target: int
    waits: Sequence[int]
    reach: int
    residuals: Sequence[int]
    compute: Callable[[Tensor, list[Tensor]], Tensor]
    made: int = 0


@dataclass
class Ring:
    """Rows of a map, from `first` to `end`; `values` is None while it is only counted."""

    channels: int
    first: int = 0
    end: int = 0
    values: Tensor | None = None


@dataclass
class Layers(Describing):
    """The list, as it is told; of one phase."""

    channels: list[int] = field(default_factory=list[int])
    steps: list[Step] = field(default_factory=list[Step])

    def map(self, channels: int, kind: Kind = Kind.RING, scale: int = 1) -> int:
        assert kind != Kind.PLANE
        assert scale == 1
        self.channels.append(channels)
        return len(self.channels) - 1

    def phase(self, length: int, repeats: int = 1) -> None:
        assert length == len(self.steps)
        assert repeats == 1

    def load(
        self,
        picture: int,
        target: int,
        channels: int,
        fold: int = 1,
        repeat: int = 1,
        normalised: tuple[Tensor, Tensor] | None = None,
        waits: Sequence[int] = (),
    ) -> None:
        # the picture's map holds folded rows: see `LayerRows`
        def compute(values: Tensor, _: list[Tensor]) -> Tensor:
            if normalised is not None:
                offset, factor = (each.to(values.device).view(-1, 1, 1) for each in normalised)
                values = (values + offset) * factor
            return values.repeat_interleave(repeat, dim=1)

        self.channels[picture] = channels // repeat
        self.steps.append(Step([picture], target, waits, 0, [], compute))

    def convolution(
        self,
        layer: nn.Conv2d,
        sources: Sequence[int],
        target: int,
        waits: Sequence[int],
        activation: Tensor | float | Activation = Activation.NONE,
        residuals: Sequence[tuple[float, int]] = (),
        widths: Sequence[int] | None = None,
    ) -> None:
        weight = layer.weight.detach()
        bias = None if layer.bias is None else layer.bias.detach()
        reach = layer.kernel_size[0] // 2

        def compute(values: Tensor, others: list[Tensor]) -> Tensor:
            values = F.conv2d(values, weight, bias, padding=(0, reach))
            if activation is Activation.GATE:
                return (values + others[0]) * (torch.sigmoid(values) - 0.5)
            values = _activated(values, activation)
            for (factor, _), other in zip(residuals, others, strict=True):
                values = values.mul(factor).add_(other)
            return values

        read = [number for _, number in residuals]
        self.steps.append(Step(tuple(sources), target, waits, reach, read, compute))


def _activated(values: Tensor, activation: Tensor | float | Activation) -> Tensor:
    if activation is Activation.NONE:
        return values
    if activation is Activation.SILU:
        return F.silu(values)
    slopes = torch.as_tensor(activation, dtype=torch.float32, device=values.device)
    return F.prelu(values, slopes.reshape(-1))


class LayerRowTrunk(RowTrunk):
    """A network's list in float32, on the device of its weights.

    Args:
        model: the network; its weights are not copied.
        describe: tells its list.
    """

    def __init__(self, model: Generator, describe: Callable[[Describing], None]) -> None:
        self._describe = describe
        self._fold = model.unshuffle
        self._device = next(model.parameters()).device
        self.features = self._layers().channels[RESULT]

    def rows(self, height: int, width: int) -> Rows:
        return LayerRows(self._layers(), height // self._fold, width // self._fold, self._fold, self._device)

    def rows_bytes(self, height: int, width: int) -> int:
        """By going through the list with numbers of rows in place of rows."""
        height, width = height // self._fold, width // self._fold
        values = LayerRows(self._layers(), height, width, self._fold, self._device).most_values()
        return values * 4 * width * KEPT // 4

    def _layers(self) -> Layers:
        layers = Layers()
        self._describe(layers)
        return layers


class LayerRows(Rows):
    """A picture on its way; sizes are those of the maps."""

    def __init__(self, layers: Layers, height: int, width: int, fold: int, device: torch.device) -> None:
        self._steps, self._height, self._width, self._fold = layers.steps, height, width, fold
        self._device = device
        self._rings = [Ring(channels) for channels in layers.channels]
        self._readers = [
            [step for step in self._steps if number in step.sources or number in step.residuals]
            for number in range(len(self._rings))
        ]

    def push(self, batch: Tensor) -> Iterator[Tensor]:
        size = BAND * self._fold
        for top in range(0, batch.shape[2], size):
            part = batch[:, :, top : top + size]
            with computing(self._device):
                rows = F.pixel_unshuffle(part.to(self._device), self._fold)
                self._append(PICTURE, rows.shape[2], rows)
            yield from self._go_on()

    def _go_on(self) -> Iterator[Tensor]:
        """Every step by a band, until no more can be made: with the last rows, all that is left."""
        while True:
            with computing(self._device):
                work = sum(self._advance(step) for step in self._steps)
            result = self._rings[RESULT]
            if result.values is not None:
                values, result.values, result.first = result.values, None, result.end
                yield values
            if not work:
                return

    def most_values(self) -> int:
        """Values a column that `push` holds at its peak."""
        most = before = 0
        while self._rings[RESULT].end < self._height:
            given = self._rings[PICTURE].end
            self._append(PICTURE, min(BAND, self._height - given), None)
            work = max(self._advance(step) for step in self._steps)
            held = sum(ring.channels * (ring.end - ring.first) for ring in self._rings)
            most = max(most, held + work)
            result = self._rings[RESULT]
            # from the second full band on nothing changes
            if result.end - result.first == BAND == before:
                break
            before, result.first = result.end - result.first, result.end
        return most

    def _advance(self, step: Step) -> int:
        """Compute what can be; values a column of its inputs and outputs."""
        rings = self._rings
        ends = [self._seen(rings[number], step.reach) for number in step.sources]
        ends += [rings[number].end for number in step.residuals]
        end = min([*ends, *[self._steps[number].made for number in step.waits], step.made + BAND])
        if end <= step.made:
            return 0
        counted = rings[step.sources[0]].values is None
        values = None
        if not counted:
            parts = [self._cut(rings[number], step.made, end, step.reach) for number in step.sources]
            given = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
            others = [self._cut(rings[number], step.made, end, 0) for number in step.residuals]
            values = step.compute(given, others)
        count, step.made = end - step.made, end
        self._append(step.target, count, values)
        for number in {*step.sources, *step.residuals}:
            self._let_go(number)
        inputs = sum(rings[number].channels for number in step.sources)
        return WORK * (inputs + rings[step.target].channels) * (count + 2 * step.reach)

    def _seen(self, ring: Ring, reach: int) -> int:
        """How far rows can be made that see so far."""
        return self._height if ring.end == self._height else ring.end - reach

    def _cut(self, ring: Ring, start: int, end: int, reach: int) -> Tensor:
        """With what lies around, zeros beyond the picture."""
        assert ring.values is not None
        above, below = max(reach - start, 0), max(end + reach - self._height, 0)
        rows = ring.values[:, :, start - reach + above - ring.first : end + reach - below - ring.first]
        return F.pad(rows, (0, 0, above, below)) if above or below else rows

    def _append(self, number: int, count: int, values: Tensor | None) -> None:
        ring = self._rings[number]
        ring.end += count
        if values is not None:
            ring.values = values if ring.values is None else torch.cat((ring.values, values), dim=2)

    def _let_go(self, number: int) -> None:
        """Of the rows that nobody reads any more."""
        ring = self._rings[number]
        first = max(min(step.made - step.reach for step in self._readers[number]), ring.first)
        if first > ring.first and ring.values is not None:
            ring.values = ring.values[:, :, first - ring.first :].clone()
        ring.first = first
