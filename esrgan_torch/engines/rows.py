"""A trunk by rows: a picture goes through a few rows at a time.

Each convolution keeps the rows that it still needs. So the memory is that of the picture's width, and the
result is that of the whole picture, to float rounding.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from torch import Tensor


class Rows(ABC):
    """One picture on its way."""

    @abstractmethod
    def push(self, batch: Tensor) -> Iterator[Tensor]:
        """The picture's next rows; with the last of them the rest of the features comes.

        Args:
            batch: (1, C, h, W) float32 on the CPU; h is a multiple of the network's `unshuffle`, and all of
                them add up to the picture's height.

        Yields:
            the next rows of the features, (1, F, r, w), on the trunk's device; good until the iterator goes
            on.
        """


class RowTrunk(ABC):
    """What a trunk by rows can be made of, in float32 on one device.

    Attributes:
        features: channels of the features.
    """

    features: int

    @abstractmethod
    def rows(self, height: int, width: int) -> Rows:
        """For a picture of so many input pixels, multiples of the network's `unshuffle`.

        Raises:
            RuntimeError: memory is short.
        """

    @abstractmethod
    def rows_bytes(self, height: int, width: int) -> int:
        """Memory that `rows` takes at its peak, for sizes in input pixels."""
