"""A picture through the network: its planes apart, each once, or turned eight ways and averaged."""

from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.images.alpha import bleed, bleed_evenly
from esrgan_torch.images.picture import Samples
from esrgan_torch.images.planes import cut_off, fitted, is_flat, split
from esrgan_torch.images.turns import TURNS, lies_on_its_side, turned, turned_back
from esrgan_torch.images.uniform_alpha import keep_uniform
from esrgan_torch.quantise import to_levels
from esrgan_torch.tiling.means import Course, Means
from esrgan_torch.tiling.plan import Plan
from esrgan_torch.tiling.run import Run
from esrgan_torch.watch import Watch

AlphaMode = Literal["model", "resize", "drop"]
FLOAT = np.dtype(np.float32)


@dataclass(frozen=True)
class Way:
    """How a picture is enlarged.

    Args:
        means: what it is done with.
        plan: what to do with each plane.
        plan_on_its_side: what to do with planes turned by 90 degrees; None: no turns, otherwise the result is
            the mean of the eight turned and mirrored runs.
        alpha: what becomes of transparency, see `Upscaler`.
        size: height and width of the result.
    """

    means: Means
    plan: Plan
    plan_on_its_side: Plan | None
    alpha: AlphaMode
    size: tuple[int, int]

    def gone(self, course: Course) -> Plan:
        """How it was cut: the worse of the two plans, and not exact where a window had to be divided."""
        turned_plan = self.plan_on_its_side
        plan = self.plan if turned_plan is None or turned_plan.exact else turned_plan
        if plan.exact and not course.exact:
            return replace(plan, exact=False, reason="memory ran out, divided into overlapping windows")
        return plan


def enlarge(samples: Samples, way: Way, course: Course, watch: Watch) -> Samples:
    """(H, W, C), uint8, uint16, or float32 from 0 to 1 -> the same of `way.size`.

    `course`, `watch` and errors as of `esrgan_torch.tiling.run.Run`.
    """
    planes, alpha = _planes(samples, way)
    to_do = [not is_flat(plane) for plane in planes]
    parts: list[Samples] = []
    for number, plane in enumerate(planes):
        if not to_do[number]:
            # one colour has no detail to restore, and the networks would shift it by several levels
            parts.append(np.broadcast_to(plane[0, 0], (*way.size, plane.shape[2])))
            continue
        large = cut_off(_enlarge_plane(plane, way, course, watch.part(sum(to_do[:number]), sum(to_do))))
        if plane is alpha:
            keep_uniform(large, plane)
        parts.append(fitted(large, *way.size))
    if alpha is not None and way.alpha == "resize":
        parts.append(fitted(alpha, *way.size))
    return np.concatenate(parts, axis=2) if len(parts) > 1 else parts[0]


def _planes(samples: Samples, way: Way) -> tuple[list[Samples], Samples | None]:
    """What goes through the network, and alpha, where there is some; colour is bled under transparency."""
    colour, alpha = split(samples)
    if way.alpha == "drop":
        alpha = None
    if alpha is not None:
        colour = (bleed if way.plan_on_its_side is None else bleed_evenly)(colour, alpha)
    # a network for gray takes the channels of a colour picture one by one
    gray = way.means.model.in_channels == 1
    planes = np.split(colour, colour.shape[2], axis=2) if gray else [colour]
    if alpha is not None and way.alpha == "model":
        planes.append(alpha)
    return planes, alpha


def _enlarge_plane(plane: Samples, way: Way, course: Course, watch: Watch) -> Samples:
    """By the network's scale; of float32 it is not cut off where the network overshoots."""
    if way.plan_on_its_side is None:
        return Run(plane, way.plan, way.means, course, watch).picture()
    total: NDArray[np.float32] | None = None
    for number in range(TURNS):
        plan = way.plan_on_its_side if lies_on_its_side(number) else way.plan
        # neither rounded nor cut off at black and white before the mean
        part = watch.part(number, TURNS)
        large = Run(turned(plane, number), plan, way.means, course, part, FLOAT).picture()
        values = turned_back(cast(NDArray[np.float32], large), number)
        if total is None:
            total = values
        else:
            total += values
    assert total is not None
    total /= TURNS
    return to_levels(total, plane.dtype)
