"""Losses of structure: what they see, what they leave alone, and that they mend what they are for."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from esrgan_torch.metrics.periodic import pattern_of
from esrgan_torch.train.structure import grid_loss, sharpness_loss

LEVEL = 1 / 255
OTHER = 0.1 * torch.cos(torch.arange(160) * (2 * math.pi * 3 / 16)).expand(1, 3, 160, 160)


def columns(values: list[float], side: int = 160) -> Tensor:
    """(1, 3, side, side) of columns that have these values, again and again."""
    return torch.tensor(values).repeat(side)[:side].expand(1, 3, side, side)


def test_grid_loss_of_a_wave() -> None:
    target = torch.rand(1, 3, 160, 160)
    wave = columns(
        [1.5 * LEVEL, 0.0, -1.5 * LEVEL, 0.0]
    )  # five times what counts as seen, so its power 25 times
    # one of two frequencies along rows, none along columns
    expected = math.log(26) / 2 / 2
    assert grid_loss(target + wave, target, 4).item() == pytest.approx(expected, rel=1e-2)
    assert grid_loss(target - wave.transpose(2, 3), target, 4).item() == pytest.approx(expected, rel=1e-2)
    assert grid_loss((target + wave).bfloat16(), target, 4).dtype == torch.float32


def test_a_grid_counts_by_what_is_around_it(rng: torch.Generator) -> None:
    target = torch.rand(1, 3, 160, 160)
    noise = torch.randn(1, 3, 160, 160, generator=rng) * 0.01
    none, some = (grid_loss(target + noise + a * columns([LEVEL, 0.0]), target, 4) for a in (0, 3))
    assert 0.7 < none < 1.0
    assert some > none + 0.05
    louder = [grid_loss(target + 10 * (noise + a * columns([LEVEL, 0.0])), target, 4) for a in (0, 3)]
    assert torch.isclose(louder[1] - louder[0], some - none, rtol=0.1)


@pytest.mark.parametrize(
    "error",
    [columns([0.1]), OTHER, torch.linspace(0, 1, 160).expand(1, 3, 160, 160)],
    ids=["brightness", "another period", "ramp"],
)
def test_what_is_no_grid_costs_little(error: Tensor) -> None:
    target = torch.zeros_like(error)
    assert grid_loss(target + error, target, 4) < 0.1  # errors at random have 0.9


def test_a_grid_is_unlearnt_and_what_is_the_targets_stays(rng: torch.Generator) -> None:
    ramp = torch.linspace(0.2, 0.8, 160).expand(1, 3, 160, 160)
    target = ramp + columns([0.1, 0.0])  # stripes that the picture has
    offsets = (torch.randn(4, 4, generator=rng) * 0.01).requires_grad_()
    descent = torch.optim.Adam([offsets], 0.01)

    def output() -> Tensor:
        return target + offsets.tile(40, 40)

    def shown(batch: Tensor) -> float:
        pixels = ((batch - target + 0.5) * 255).round()[0].permute(1, 2, 0)
        return pattern_of(np.asarray(pixels, np.uint8), 4).peak

    assert shown(output().detach()) > 0.5
    for _ in range(100):
        descent.zero_grad()
        grid_loss(output(), target, 4).backward()
        descent.step()
        descent.param_groups[0]["lr"] *= 0.95
    assert shown(output().detach()) < 0.1
    assert offsets.detach().mean().abs() < 0.05  # brightness is left to the other losses


def test_sharpness_is_compared_and_not_places(rng: torch.Generator) -> None:
    texture = torch.rand(1, 3, 64, 64, generator=rng)
    blurred = F.avg_pool2d(texture, 3, 1, 1)
    moved = texture.roll((1, 1), (2, 3))
    dull = sharpness_loss(blurred, texture)
    assert sharpness_loss(texture, texture) == 0
    assert sharpness_loss(moved, texture) < dull / 5
    assert sharpness_loss(2 * texture, texture) > dull / 2  # too much of it is as wrong
    assert sharpness_loss(texture.bfloat16(), texture).dtype == torch.float32


def test_sharpness_of_a_checkerboard() -> None:
    board = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).tile(16, 16).expand(1, 3, 32, 32)
    # each pixel differs by 1 from its four neighbours; at half the size nothing is left of it
    assert sharpness_loss(board, torch.zeros_like(board)).item() == pytest.approx(4 / 2)


def test_what_is_sharp_elsewhere_is_no_substitute() -> None:
    target = torch.zeros(1, 3, 64, 64)
    target[..., 20] = 1.0
    elsewhere = target.flip(3)
    assert sharpness_loss(elsewhere, target) > 1.5 * sharpness_loss(torch.zeros_like(target), target)
