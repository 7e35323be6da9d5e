"""A network as a program: a list of operations on maps, which the native library carries out.

Each network has a file of its own, `program_*.py`.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_torch.engines.describing import Activation, Kind
from esrgan_torch.engines.native.library import CMap, COperation, CPhase, Program
from esrgan_torch.engines.native.winograd import (
    enlarging_panels,
    enlarging_weight,
    padded,
    pointwise_weight,
    transformed_weight,
)

CONVOLVE, LOAD, STORE, POINTWISE = 0, 1, 2, 3
NONE = -1
DEPTH = 64  # channels of a product: with more, its transforms, sums and weights leave the second-level cache


class Builder:
    """Collects a program, as `Describing` tells it; sizes and orders are those of `source/esrgan_native.h`.

    Args:
        lanes: floats of a vector, for which weights are laid out.
        known: weights that were laid out before, by layer: those of an RRDBNet take 260 MB, and seconds.
    """

    def __init__(self, lanes: int, known: dict[tuple[nn.Conv2d, bool], Tensor] | None = None) -> None:
        self._lanes = lanes
        self._known = {} if known is None else known
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
        """As of `Describing`."""
        offset, factor = (None, None) if normalised is None else map(_float_vector, normalised)
        self._operations.append(
            COperation(
                kind=LOAD,
                sources=1,
                source=(picture,),
                channels=(channels,),
                target=target,
                residual=(NONE, NONE),
                waits=(*waits, *[NONE] * (2 - len(waits))),
                enlarge=fold,
                repeat=repeat,
                weights=None if factor is None else self._address(factor),
                bias=None if offset is None else self._address(offset),
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
        activation: Tensor | float | Activation = Activation.NONE,
        residuals: Sequence[tuple[float, int]] = (),
        widths: Sequence[int] | None = None,
        enlarge: bool = False,
    ) -> None:
        """As of `Describing`.

        Args:
            layer, sources, target, waits, activation, residuals, widths: as there.
            enlarge: by nearest neighbour to twice the size, before a 3x3 convolution.
        """
        assert layer.bias is not None
        weight, inputs, bias = layer.weight.detach(), layer.in_channels, _padded_vector(layer.bias)
        kind, leak = activation, None
        if not isinstance(activation, Activation):
            slopes = torch.as_tensor(activation, dtype=torch.float32, device="cpu")
            kind, leak = Activation.PRELU, _padded_vector(slopes.expand(layer.out_channels))
        if enlarge:
            weight, bias = enlarging_weight(weight), bias.repeat(4)
            leak = None if leak is None else leak.repeat(4)
        channels = [inputs] if widths is None else [padded(width) for width in widths]
        parts = torch.split(weight, [inputs] if widths is None else list(widths), dim=1)
        parts = [
            F.pad(part, (0, 0, 0, 0, 0, count - part.shape[1]))
            for part, count in zip(parts, channels, strict=True)
        ]
        pointwise = layer.kernel_size == (1, 1)
        begins = list(range(len(parts))) if pointwise else product_begins(channels)
        laid_out = pointwise_weight if pointwise else enlarging_panels if enlarge else transformed_weight
        products = [torch.cat(parts[first:end], dim=1) for first, end in pairwise([*begins, len(parts)])]
        weights = self._known.get((layer, enlarge))
        if weights is None:
            weights = torch.cat([laid_out(product, self._lanes).flatten() for product in products])
            self._known[layer, enlarge] = weights
        missing = [NONE] * (2 - len(residuals))
        self._operations.append(
            COperation(
                kind=POINTWISE if pointwise else CONVOLVE,
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
                activation=kind,
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


def _float_vector(values: Tensor) -> Tensor:
    return values.detach().to("cpu", torch.float32, copy=True).contiguous()


def _padded_vector(values: Tensor) -> Tensor:
    return F.pad(_float_vector(values), (0, padded(len(values)) - len(values))).clone()
