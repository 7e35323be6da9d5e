"""Networks as programs: lists of operations on maps, which the native library carries out."""

from collections.abc import Sequence
from enum import IntEnum
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_torch.native.library import CMap, COperation, CPhase, Program
from esrgan_torch.native.winograd import enlarging_weight, padded, transformed_weight
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RESIDUAL_SCALE, SLOPE, ResidualDenseBlock, RRDBNet


class Kind(IntEnum):
    """Of a map: as many rows as are needed, all of them, or the caller's memory."""

    RING = 0
    PLANE = 1
    GIVEN = 2


CONVOLVE, LOAD, STORE = 0, 1, 2
NONE = -1
DEPTH = 64  # channels of a product: with more, its transforms, sums and weights leave the second-level cache


class Builder:
    """Collects a program; sizes and orders are those of `source/esrgan_native.h`.

    Args:
        lanes: floats of a vector, for which weights are laid out.
    """

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        self._maps: list[CMap] = []
        self._phases: list[CPhase] = []
        self._operations: list[COperation] = []
        self._kept: list[Tensor] = []

    def map(self, channels: int, kind: Kind = Kind.RING, scale: int = 1) -> int:
        """The number of a new map; `channels` are padded."""
        self._maps.append(CMap(kind, padded(channels), scale))
        return len(self._maps) - 1

    def phase(self, length: int, repeats: int = 1) -> None:
        """Make a phase of the operations added since the last one: `length` of them, `repeats` times."""
        first = sum(phase.length * phase.repeats for phase in self._phases)
        assert len(self._operations) == first + length * repeats
        self._phases.append(CPhase(first, length, repeats))

    def load(self, picture: int, target: int, channels: int, fold: int = 1, repeat: int = 1) -> None:
        """A given planar picture becomes channels of `target`: folded by `fold`, each `repeat` times."""
        none = (NONE, NONE)
        self._operations.append(
            COperation(
                kind=LOAD,
                sources=1,
                source=(picture,),
                channels=(channels,),
                target=target,
                residual=none,
                waits=none,
                enlarge=fold,
                repeat=repeat,
            )
        )

    def store(self, source: int, picture: int, channels: int, waits: int) -> None:
        """Channels of `source` become a given planar picture."""
        self._operations.append(
            COperation(
                kind=STORE,
                sources=1,
                source=(source,),
                channels=(channels,),
                target=picture,
                residual=(NONE, NONE),
                waits=(waits, NONE),
                enlarge=1,
                repeat=1,
            )
        )

    def convolution(
        self,
        layer: nn.Conv2d,
        sources: Sequence[int],
        target: int,
        waits: Sequence[int],
        slopes: Tensor | float | None = None,
        residuals: Sequence[tuple[float, int]] = (),
        widths: Sequence[int] | None = None,
        enlarge: bool = False,
    ) -> None:
        """3x3 with bias, then PReLU of `slopes`, then for each residual: result * factor + map.

        Args:
            layer: its weights are copied.
            sources, target: maps; the channels of the sources follow one another.
            waits: numbers in the phase of the operations whose result is read.
            slopes: (outputs,), or one for all.
            residuals: factors and maps.
            widths: channels of each source; not needed where there is one.
            enlarge: by nearest neighbour to twice the size, before the convolution.
        """
        assert layer.bias is not None
        weight, inputs, bias = layer.weight.detach(), layer.in_channels, _padded_vector(layer.bias)
        if isinstance(slopes, float):
            slopes = torch.full(
                (layer.out_channels,), slopes, dtype=torch.float32, device="cpu"
            )  # one for all
        leak = None if slopes is None else _padded_vector(torch.as_tensor(slopes))
        if enlarge:
            weight, bias = enlarging_weight(weight), bias.repeat(4)
            leak = None if leak is None else leak.repeat(4)
        channels = [inputs] if widths is None else [padded(width) for width in widths]
        begins = product_begins(channels)
        parts = torch.split(weight, [inputs] if widths is None else list(widths), dim=1)
        parts = [
            F.pad(part, (0, 0, 0, 0, 0, count - part.shape[1]))
            for part, count in zip(parts, channels, strict=True)
        ]
        products = [torch.cat(parts[first:end], dim=1) for first, end in pairwise([*begins, len(parts)])]
        weights = torch.cat([transformed_weight(product, self._lanes).flatten() for product in products])
        missing = [NONE] * (2 - len(residuals))
        self._operations.append(
            COperation(
                kind=CONVOLVE,
                sources=len(sources),
                source=tuple(sources),
                channels=tuple(channels),
                begins=sum(1 << number for number in begins),
                target=target,
                residual=(*[number for _, number in residuals], *missing),
                factor=tuple(factor for factor, _ in residuals),
                waits=(*waits, *[NONE] * (2 - len(waits))),
                outputs=len(bias),
                enlarge=2 if enlarge else 1,
                repeat=1,
                weights=self._address(weights),
                bias=self._address(bias),
                slopes=None if leak is None else self._address(leak),
            )
        )

    def _address(self, tensor: Tensor) -> int:
        self._kept.append(tensor)
        return tensor.data_ptr()

    def program(self) -> Program:
        """What was collected."""
        return Program(self._maps, self._phases, self._operations, self._kept)


def product_begins(channels: Sequence[int]) -> list[int]:
    """Numbers of the sources with which a product begins: none has more than `DEPTH` channels, if it can."""
    begins, together = [0], 0
    for number, count in enumerate(channels):
        if together and together + count > DEPTH:
            begins.append(number)
            together = 0
        together += count
    return begins


def _padded_vector(values: Tensor) -> Tensor:
    return F.pad(values.detach().float(), (0, padded(len(values)) - len(values))).clone()


PICTURE, RESULT = 0, 1  # numbers of the given maps, in every program


def compact_program(model: CompactNet, lanes: int) -> Program:
    """CompactNet's trunk: one phase, so that a few rows of each map exist at a time."""
    config = model.config
    builder = Builder(lanes)
    large = config.out_channels * config.scale**2
    builder.map(config.in_channels, Kind.GIVEN)
    builder.map(large, Kind.GIVEN)
    source = builder.map(config.in_channels)
    builder.load(PICTURE, source, config.in_channels)
    convolutions = [layer for layer in model.body if isinstance(layer, nn.Conv2d)]
    slopes = [layer.weight for layer in model.body if isinstance(layer, nn.PReLU)]
    for number, (layer, slope) in enumerate(zip(convolutions, slopes, strict=False)):
        target = builder.map(config.features)
        builder.convolution(layer, [source], target, [number], slope)
        source = target
    enlarged = builder.map(large)
    builder.load(PICTURE, enlarged, large, repeat=config.scale**2)
    last = len(convolutions)
    builder.convolution(convolutions[-1], [source], RESULT, [last - 1, last], residuals=[(1.0, enlarged)])
    builder.phase(last + 2)
    return builder.program()


def rrdb_trunk_program(model: RRDBNet, lanes: int) -> Program:
    """RRDBNet's trunk: the first convolution, all dense blocks as one phase, the body's last convolution.

    Three planes exist: an RRDB's start, and the results of its first and its second dense block. The first
    convolution is computed again at the end rather than kept.
    """
    config = model.config
    features, growth = config.features, config.growth
    folded = config.in_channels * config.unshuffle**2
    builder = Builder(lanes)
    builder.map(config.in_channels, Kind.GIVEN)
    builder.map(features, Kind.GIVEN)
    start, stream, result = builder.map(features, Kind.PLANE), builder.map(features, Kind.PLANE), RESULT
    pictures = [builder.map(folded), builder.map(folded)]
    inner = [builder.map(growth) for _ in range(4)]

    builder.load(PICTURE, pictures[0], folded, config.unshuffle)
    builder.convolution(model.conv_first, [pictures[0]], start, [0])
    builder.phase(2)
    for rrdb in model.rrdbs():
        _dense_block(builder, rrdb.rdb1, start, stream, [], inner)
        _dense_block(builder, rrdb.rdb2, stream, result, [], inner)
        _dense_block(builder, rrdb.rdb3, result, start, [(RESIDUAL_SCALE, start)], inner)
    builder.phase(5, 3 * config.blocks)
    builder.load(PICTURE, pictures[1], folded, config.unshuffle)
    builder.convolution(model.conv_first, [pictures[1]], result, [0])
    builder.convolution(model.conv_body, [start], result, [1], residuals=[(1.0, result)])
    builder.phase(3)
    return builder.program()


def _dense_block(
    builder: Builder,
    block: ResidualDenseBlock,
    source: int,
    target: int,
    further: Sequence[tuple[float, int]],
    inner: Sequence[int],
) -> None:
    """target = source + 0.2 * block(source), and then for each of `further`: target * factor + map."""
    widths, maps = [block.conv1.in_channels], [source]
    last = 4
    for number, layer in enumerate((block.conv1, block.conv2, block.conv3, block.conv4)):
        waits = [number - 1 if number else last]
        builder.convolution(layer, maps, inner[number], waits, SLOPE, widths=widths)
        widths.append(layer.out_channels)
        maps.append(inner[number])
    residuals = [(RESIDUAL_SCALE, source), *further]
    builder.convolution(block.conv5, maps, target, [3], residuals=residuals, widths=widths)


def rrdb_tail_program(model: RRDBNet, lanes: int) -> Program:
    """RRDBNet's tail, from channels-last features to a planar picture.

    An enlargement is computed on the map before it: the four pixels that a pixel becomes are four times the
    outputs.
    """
    features, outputs = model.config.features, model.out_channels
    builder = Builder(lanes)
    scale = 1
    source = builder.map(features, Kind.GIVEN)
    builder.map(outputs, Kind.GIVEN, model.scale * model.unshuffle)
    steps = 0
    for layer in model.upsampling_convolutions():
        scale *= 2
        target = builder.map(features, scale=scale)
        builder.convolution(layer, [source], target, [steps - 1] if steps else [], SLOPE, enlarge=True)
        source, steps = target, steps + 1
    for layer, slopes in ((model.conv_hr, SLOPE), (model.conv_last, None)):
        target = builder.map(layer.out_channels, scale=scale)
        builder.convolution(layer, [source], target, [steps - 1] if steps else [], slopes)
        source, steps = target, steps + 1
    builder.store(source, RESULT, outputs, steps - 1)
    builder.phase(steps + 1)
    return builder.program()
