"""What the discriminator is shown, and which losses a step has."""

from collections import Counter

import torch
from torch import Tensor, nn

from esrgan_torch.train.discriminators import Discriminator
from esrgan_torch.train.steps import Judge, Objective, discriminator_step, generator_step
from esrgan_torch.train.structure import grid_loss, sharpness_loss


class Watching(Discriminator):
    """Notes what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def judged(self, batch: Tensor) -> tuple[Tensor, list[Tensor]]:
        self.seen.append(batch.detach())
        return batch.mean((1, 2, 3)), [batch]


def numbered(side: int) -> Tensor:
    """(1, 1, side, side), each pixel its own number."""
    return torch.arange(side * side, dtype=torch.float32).view(1, 1, side, side)


def test_the_discriminator_sees_the_same_part_of_both_at_any_pixel() -> None:
    torch.manual_seed(0)
    watching = Watching()
    large = numbered(16)
    objective = Objective(adversarial=1.0, matching=1.0, judged=9)
    places = Counter[tuple[int, int]]()
    for _ in range(100):
        watching.seen.clear()
        generator_step(nn.Identity(), Judge(watching), large, large, objective)
        discriminator_step(Judge(watching), large, large, objective)
        assert [tuple(seen.shape) for seen in watching.seen] == [(1, 1, 9, 9)] * 4
        for one, other in (watching.seen[:2], watching.seen[2:]):
            assert torch.equal(one, other)
            top, left = divmod(int(one[0, 0, 0, 0]), 16)
            assert torch.equal(one, large[..., top : top + 9, left : left + 9])
            places[top % 4, left % 4] += 1
    assert len(places) == 16  # every phase of the scale
    assert max(places.values()) < 40


def test_the_discriminator_sees_all_where_nothing_else_is_asked() -> None:
    watching = Watching()
    generator_step(nn.Identity(), Judge(watching), numbered(8), numbered(8), Objective(adversarial=1.0))
    assert all(seen.shape[-1] == 8 for seen in watching.seen)


def test_grid_and_sharpness_are_among_the_losses() -> None:
    large = torch.rand(2, 3, 32, 32)
    wrong = large + torch.tensor([0.1, 0.0, 0.0, 0.0] * 8)
    objective = Objective(grid=3.0, sharpness=2.0, scale=2)
    made = generator_step(nn.Identity(), None, wrong, large, objective)
    assert made.parts["grid"] == 3 * grid_loss(wrong, large, 2) > 0
    assert made.parts["sharpness"] == 2 * sharpness_loss(wrong, large) > 0
    assert torch.isclose(made.loss, torch.stack(list(made.parts.values())).sum())
    assert set(generator_step(nn.Identity(), None, wrong, large, Objective()).parts) == {"pixel"}
