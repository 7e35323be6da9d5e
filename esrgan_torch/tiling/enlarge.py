"""The planes of one picture through the network: once, or turned eight ways and averaged."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from esrgan_torch.engines.base import Engine
from esrgan_torch.images.luma import luma
from esrgan_torch.images.picture import Samples
from esrgan_torch.images.turns import TURNS, lies_on_its_side, turned, turned_back
from esrgan_torch.networks.base import Generator
from esrgan_torch.tiling.plan import Plan
from esrgan_torch.tiling.rounding import to_levels
from esrgan_torch.tiling.run import Run
from esrgan_torch.watch import Watch

Values = NDArray[np.float32]
Result = TypeVar("Result", Samples, Values)


@dataclass
class Enlarger:
    """Enlarges planes of one picture, all of the same height and width, by the network's scale.

    Args:
        model: sizes of the network.
        engine: runs it.
        exact_engine: makes the float32 engine that repeats a tile; called at the first need.
        plan: what to do.
        plan_on_its_side: what to do with the picture turned by 90 degrees; None: no turns, otherwise the
            result is the mean of the eight turned and mirrored runs.
        divisible: whether a window that does not fit may be divided into overlapping ones.
        planes: how many planes will be given, for the progress.
        watch: told the share that is done of all planes, from 0 to 1.

    Attributes:
        redone: tiles that were computed again in float32.
        divided: tiles that did not fit in memory.
        exact: whether the result so far equals the untiled one.
    """

    model: Generator
    engine: Engine
    exact_engine: Callable[[], Engine]
    plan: Plan
    plan_on_its_side: Plan | None
    divisible: bool
    planes: int
    watch: Watch
    redone: int = field(default=0, init=False)
    divided: int = field(default=0, init=False)
    exact: bool = field(default=True, init=False)
    _runs_done: int = field(default=0, init=False)

    def pixels(self, plane: Samples) -> Samples:
        """(H, W, 1 or 3) -> (H * scale, W * scale, 1 or 3) of the same type. Errors as in `Run.picture`.

        Of float32 it is not cut off where the network overshoots.
        """
        if self.plan_on_its_side is None:
            return self._run(lambda run: run.picture(plane), plane, self.plan)
        return to_levels(self._mean_of_turns(plane, self.plan_on_its_side), plane.dtype)

    def _mean_of_turns(self, plane: Samples, plan_on_its_side: Plan) -> Values:
        """(H * scale, W * scale, C), before anything is rounded or cut off at black and white."""
        total: Values | None = None
        for number in range(TURNS):
            values = self._turn(plane, number, plan_on_its_side if lies_on_its_side(number) else self.plan)
            if total is None:
                total = values
            else:
                total += values
        assert total is not None
        total /= TURNS
        return total

    def _turn(self, plane: Samples, number: int, plan: Plan) -> Values:
        laid = turned(plane, number)
        return turned_back(self._run(lambda run: run.values(laid), laid, plan), number)

    def _run(self, compute: Callable[[Run], Result], plane: Samples, plan: Plan) -> Result:
        through_colour = self.model.in_channels == 3 and plane.shape[2] == 1
        run = Run(
            engine=self.engine,
            exact_engine=self.exact_engine,
            plan=plan,
            divisible=self.divisible,
            tail_halo=self.model.tail_halo,
            receptive_field=self.model.receptive_field,
            grow=_gray_to_rgb if through_colour else _as_it_is,
            shrink=_rgb_to_gray if through_colour else _as_it_is,
            progress=self._tell,
            caused=self.watch.caused,
        )
        result = compute(run)
        self._runs_done += 1
        self.redone += run.redone
        self.divided += run.divided
        self.exact = self.exact and run.exact
        return result

    def _tell(self, share_of_run: float) -> None:
        runs = self.planes * (1 if self.plan_on_its_side is None else TURNS)
        self.watch((self._runs_done + share_of_run) / runs)


def _gray_to_rgb(batch: Tensor) -> Tensor:
    return batch.expand(-1, 3, -1, -1)


def _rgb_to_gray(batch: Tensor) -> Tensor:
    return luma(batch.clamp(0, 1))


def _as_it_is(batch: Tensor) -> Tensor:
    return batch
