"""Batches of crops. The batch of a step depends on the seed and the step alone.

So resuming needs no state of a sampler, the number of worker processes changes nothing, and several
training processes take their shares of the same batch.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from esrgan_torch.errors import ConfigError
from esrgan_torch.train.data.degrade import degrade, with_noise
from esrgan_torch.train.data.pictures import Pair
from esrgan_torch.train.stopping import ignore_signals

Batch = tuple[Tensor, Tensor]
Pixels = NDArray[np.uint8]

MARGIN = 16  # small pixels around a crop that is degraded, about the reach of its blurs


class Crops(Dataset[Batch]):
    """Item `step` is the batch of that step: (small, large), float32 in [0, 1].

    Args:
        pairs: pictures; a crop is drawn with a chance proportional to the picture's pixels.
        patch: side of the large crop, in pixels.
        scale: of the pairs.
        batch: crops a step over all processes.
        seed: of the run.
        process, processes: this process takes every `processes`-th crop.
        degrading: the small crops are made from the large ones by `degrade`; those of the pairs are not used.
        noisy: where `degrading`, the chance that a small crop is made by `with_noise` instead.

    Raises:
        ConfigError: the processes cannot share the batch equally.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        patch: int,
        scale: int,
        batch: int,
        seed: int,
        process: int = 0,
        processes: int = 1,
        degrading: bool = False,
        noisy: float = 0.0,
    ) -> None:
        if batch % processes:
            raise ConfigError(f"data.batch = {batch} cannot be shared equally by {processes} processes")
        self.pairs = list(pairs)
        self.patch, self.scale, self.batch, self.seed = patch, scale, batch, seed
        self.degrading, self.noisy = degrading, noisy
        self.process, self.processes = process, processes
        pixels = np.array([pair.height * pair.width for pair in pairs], np.float64)
        self.chances = pixels / pixels.sum()
        self._open: dict[int, tuple[Pixels, Pixels]] = {}

    def __getitem__(self, index: int) -> Batch:
        small: list[Pixels] = []
        large: list[Pixels] = []
        for place in self.places():
            rng = np.random.default_rng((self.seed, index, place))
            crop = self._crop(rng, self.choose(rng))
            small.append(crop[0])
            large.append(crop[1])
        return _batch(small), _batch(large)

    def places(self) -> range:
        """Which crops of a step are this process's."""
        return range(self.process, self.batch, self.processes)

    def names(self, step: int) -> list[str]:
        """The pictures of a step's batch, for messages."""
        rngs = [np.random.default_rng((self.seed, step, place)) for place in self.places()]
        return [self.pairs[self.choose(rng)].name for rng in rngs]

    def choose(self, rng: np.random.Generator) -> int:
        """A picture."""
        return int(rng.choice(len(self.pairs), p=self.chances))

    def _crop(self, rng: np.random.Generator, chosen: int) -> tuple[Pixels, Pixels]:
        """A random place of the picture, small and large, flipped and turned."""
        if chosen not in self._open:
            self._open[chosen] = self.pairs[chosen].open()
        large, small = self._open[chosen]
        side = self.patch // self.scale
        # a degraded crop is made larger and cropped again, so that no border's blur is learnt
        height, width = self.pairs[chosen].height // self.scale, self.pairs[chosen].width // self.scale
        margin = min(MARGIN, (min(height, width) - side) // 2) if self.degrading else 0
        window = side + 2 * margin
        top = int(rng.integers(height - window + 1))
        left = int(rng.integers(width - window + 1))
        turn = int(rng.integers(8))
        large = _turned(_window(large, top * self.scale, left * self.scale, window * self.scale), turn)
        if not self.degrading:
            return _turned(_window(small, top, left, window), turn), large
        inner = _window(large, margin * self.scale, margin * self.scale, self.patch)
        # nothing is drawn where there is no choice: crops stay those of the runs before it
        damage = with_noise if self.noisy and rng.random() < self.noisy else degrade
        return _window(damage(large, self.scale, rng), margin, margin, side), inner


def batches(crops: Crops, first: int, steps: int, workers: int) -> Iterator[Batch]:
    """The batches of the steps `first` to `steps` - 1, in order."""
    loader = DataLoader(
        crops,
        batch_size=None,
        sampler=range(first, steps),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        multiprocessing_context="spawn" if workers else None,
        generator=torch.Generator(),  # else it draws from the run's random numbers
        worker_init_fn=ignore_signals,
    )
    return iter(loader)


def _window(image: Pixels, top: int, left: int, side: int) -> Pixels:
    return image[top : top + side, left : left + side]


def _turned(image: Pixels, turn: int) -> Pixels:
    """One of the eight symmetries of a square."""
    if turn & 1:
        image = image[::-1]
    if turn & 2:
        image = image[:, ::-1]
    return image.transpose(1, 0, 2) if turn & 4 else image


def _batch(images: list[Pixels]) -> Tensor:
    """(H, W, 3) uint8, each -> (N, 3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div_(255)
