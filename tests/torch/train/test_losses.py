"""Each loss against its equation, written out with logarithms in float64."""

import pytest
import torch
from torch import Tensor

from esrgan_torch.train.losses import (
    luma_loss,
    matching_loss,
    perceptual_loss,
    pixel_loss,
    relativistic_discriminator_loss,
    relativistic_generator_loss,
    vanilla_discriminator_loss,
    vanilla_generator_loss,
)


@pytest.fixture
def logits(rng: torch.Generator) -> tuple[Tensor, Tensor]:
    return torch.randn(6, 1, generator=rng), torch.randn(6, 1, generator=rng) - 0.5


def log_sigmoid(x: Tensor) -> Tensor:
    return torch.log(1 / (1 + torch.exp(-x.double())))


def test_pixel_loss() -> None:
    output, target = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 4.0]])
    assert pixel_loss(output.bfloat16(), target).item() == 1.5


def test_luma_loss_sees_brightness_alone() -> None:
    target = torch.full((1, 3, 2, 2), 0.5)
    lighter = target + 0.1
    assert luma_loss(lighter, target).item() == pytest.approx(0.1)
    redder = target + torch.tensor([0.587, -0.299, 0.0]).view(1, 3, 1, 1)  # as bright as before
    assert luma_loss(redder, target).item() == pytest.approx(0, abs=1e-7)
    assert luma_loss(redder.bfloat16(), target).dtype == torch.float32


def test_perceptual_loss() -> None:
    output = {"a": torch.ones(2, 3), "b": torch.zeros(2)}
    target = {"a": torch.zeros(2, 3), "b": torch.full((2,), 4.0)}
    assert perceptual_loss(output, target, {"a": 0.1, "b": 1.0}).item() == pytest.approx(4.1)
    assert perceptual_loss(output, target, {"a": 0.1}).item() == pytest.approx(0.1)


def test_matching_loss_counts_maps_alike_whatever_their_size() -> None:
    output = [torch.tensor([3.0, -1.0]), torch.tensor([300.0])]
    target = [torch.tensor([2.0, -2.0]), torch.tensor([200.0])]
    assert matching_loss(output, target).item() == pytest.approx((0.5 + 0.5) / 2)
    assert matching_loss([torch.ones(2).bfloat16()], [torch.ones(2)]).item() == 0
    assert torch.isfinite(matching_loss([torch.ones(2)], [torch.zeros(2)]))


def test_where_the_gradients_of_matching_flow() -> None:
    made, wanted = torch.rand(3).requires_grad_(), torch.rand(3).requires_grad_()
    matching_loss([made], [wanted]).backward()
    assert made.grad is not None
    assert wanted.grad is None


def test_relativistic_losses_are_the_papers_equations(logits: tuple[Tensor, Tensor]) -> None:
    real, fake = logits
    # D(y, G(x)) = σ(C(y) - E C(G(x))); 1 - σ(a) = σ(-a)
    real_over_fake, fake_over_real = real - fake.mean(), fake - real.mean()
    generator = -(log_sigmoid(-real_over_fake).mean() + log_sigmoid(fake_over_real).mean())
    discriminator = -(log_sigmoid(real_over_fake).mean() + log_sigmoid(-fake_over_real).mean())
    assert relativistic_generator_loss(real, fake).item() == pytest.approx(generator.item() / 2, rel=1e-5)
    found = relativistic_discriminator_loss(real, fake).item()
    assert found == pytest.approx(discriminator.item() / 2, rel=1e-5)


def test_where_the_relativistic_gradients_flow(logits: tuple[Tensor, Tensor]) -> None:
    real, fake = (each.requires_grad_() for each in logits)
    relativistic_generator_loss(real, fake).backward()
    assert real.grad is None
    assert fake.grad is not None
    fake.grad = None
    relativistic_discriminator_loss(real, fake).backward()
    # through the logits and not through the means: each gradient has one sign
    assert real.grad is not None
    assert (real.grad < 0).all()
    assert (fake.grad > 0).all()


def test_vanilla_losses(logits: tuple[Tensor, Tensor]) -> None:
    real, fake = logits
    assert vanilla_generator_loss(fake).item() == pytest.approx(-log_sigmoid(fake).mean().item(), rel=1e-5)
    expected = -(log_sigmoid(real).mean() + log_sigmoid(-fake).mean()).item()
    assert vanilla_discriminator_loss(real, fake).item() == pytest.approx(expected, rel=1e-5)
