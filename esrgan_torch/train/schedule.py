"""The learning rate as a function of the step, so that resuming needs no state."""

import math
from bisect import bisect_right

from esrgan_torch.train.options import OptimiserOptions


def learning_rate(step: int, steps: int, options: OptimiserOptions, since: int = 0) -> float:
    """The rate of a step.

    Args:
        step: 0 for the first.
        steps: of the whole run.
        options: `schedule` and what belongs to it.
        since: the step at which the optimiser began, and so its warm-up.
    """
    warm = min(1.0, (step - since + 1) / options.warm_up) if options.warm_up else 1.0
    if options.schedule == "steps":
        return warm * options.rate * options.factor ** bisect_right(options.milestones, step)
    period = options.period or steps
    place = (step % period) / period
    floor = min(options.floor, options.rate)
    falling = floor + (options.rate - floor) * (1 + math.cos(math.pi * place)) / 2
    return warm * falling
