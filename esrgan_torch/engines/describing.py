"""How a network's trunk is told as a list of operations on maps, to whatever shall carry it out."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Protocol

from torch import Tensor, nn

PICTURE, RESULT = 0, 1  # numbers of the given maps, in every description


class Kind(IntEnum):
    """Of a map: as many rows as are needed, all of them, or the caller's memory."""

    RING = 0
    PLANE = 1
    GIVEN = 2


class Activation(IntEnum):
    """What follows a sum y. GATE: (y + x) * (sigmoid(y) - 0.5), where x is the first residual's map."""

    NONE = 0
    PRELU = 1
    SILU = 2
    GATE = 3


class Describing(Protocol):
    """What takes such a list; operations are numbered from 0 in each phase."""

    def map(self, channels: int, kind: Kind = Kind.RING, scale: int = 1) -> int:
        """The number of a new map; its pixels to one of the picture's are `scale` along each axis."""
        ...

    def phase(self, length: int, repeats: int = 1) -> None:
        """Make a phase of the operations added since the last one: `length` of them, `repeats` times."""
        ...

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
        """A given planar picture becomes channels of `target`: folded by `fold`, each `repeat` times.

        Args:
            picture, target: maps.
            channels: of the target.
            fold: side of the squares of pixels that become channels.
            repeat: channels that get the same values.
            normalised: an offset and a factor for each of the picture's channels, (value + offset) * factor.
            waits: operations that it shall not run ahead of: of rows that are loaded late few are kept.
        """
        ...

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
        """3x3, or 1x1, with bias, then the activation, then for each residual: result * factor + map.

        Args:
            layer: its weights are copied.
            sources, target: maps; the channels of the sources follow one another.
            waits: numbers in the phase of the operations whose result is read.
            activation: PReLU's slopes, (outputs,) or one for all; or another.
            residuals: factors and maps, at most two. With GATE the first is its x, and not added again.
            widths: channels of each source; not needed where there is one.
        """
        ...
