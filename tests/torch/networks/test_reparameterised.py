"""Branches and the one convolution that they are: equal in every direction, gradients too."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from esrgan_torch.networks.reparameterised import (
    Branches,
    Kernel,
    ReparameterisedConvolution,
    deployed,
    exact_branches,
    merged,
    trainable_branches,
)
from esrgan_torch.networks.span import SPAN
from esrgan_torch.networks.span_training import SPANTraining
from tests.torch.networks import shaken, small_compact


def by_the_book(module: ReparameterisedConvolution, features: Tensor) -> Tensor:
    """The official code's forward in training: the padded picture through every branch."""
    return module.conv(F.pad(features, (1, 1, 1, 1))) + module.sk(features)


@pytest.fixture
def module() -> ReparameterisedConvolution:
    torch.manual_seed(0)
    return ReparameterisedConvolution(3, 5).double()


def test_merged_weights_give_the_branches_result_and_gradients(module: ReparameterisedConvolution) -> None:
    batch = torch.rand(2, 3, 6, 4, dtype=torch.float64)
    expected, result = by_the_book(module, batch), module(batch)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-13)
    weights = torch.rand_like(expected)
    for ours, theirs in zip(
        torch.autograd.grad((result * weights).sum(), list(module.parameters())),
        torch.autograd.grad((expected * weights).sum(), list(module.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_autocast_rounds_the_merged_weight_once(module: ReparameterisedConvolution) -> None:
    module = module.float()
    batch = torch.rand(1, 3, 6, 4)
    kernel = merged(module.branches())
    with torch.autocast("cpu", torch.bfloat16):
        result = module(batch)
        expected = F.conv2d(batch, kernel.weight, kernel.bias, padding=1)
    assert result.dtype == torch.bfloat16
    assert torch.equal(result, expected)


def test_exact_branches_are_exact_in_half_precision_too() -> None:
    kernel = Kernel(torch.randn(4, 3, 3, 3).half().float(), torch.randn(4).half().float())
    again = merged(Branches(*(tensor.half().float() for tensor in exact_branches(kernel))))
    assert torch.equal(again.weight, kernel.weight)
    assert torch.equal(again.bias, kernel.bias)


def test_trainable_branches_all_have_gradients() -> None:
    torch.manual_seed(0)
    module = ReparameterisedConvolution(3, 5)
    kernel = Kernel(torch.randn(5, 3, 3, 3, dtype=torch.float64), torch.randn(5, dtype=torch.float64))
    module.set_branches(trainable_branches(kernel))
    batch = torch.rand(1, 3, 6, 4)
    result = module(batch)
    expected = F.conv2d(batch, kernel.weight.float(), kernel.bias.float(), padding=1)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-5)
    (result * torch.randn_like(result)).sum().backward()
    assert all((parameter.grad != 0).all() for parameter in module.parameters() if parameter.grad is not None)
    assert all(parameter.grad is not None for parameter in module.parameters())


def test_a_network_to_train_starts_as_a_plain_one() -> None:
    torch.manual_seed(0)
    plain = shaken(SPAN(features=6, scale=2))
    training = SPANTraining(features=6, scale=2)
    training.adopt(plain)
    for name, tensor in deployed(training).state_dict().items():
        torch.testing.assert_close(tensor, plain.state_dict()[name], rtol=0, atol=1e-6)
    with pytest.raises(RuntimeError, match=r"features=6, scale=4.* cannot start as .*features=6, scale=2"):
        SPANTraining(features=6).adopt(plain)
    with pytest.raises(RuntimeError, match="cannot start as CompactNetConfig"):
        training.adopt(small_compact())


def test_the_form_that_runs_is_ready_to_run() -> None:
    training = SPANTraining(features=4)
    plain = deployed(training)
    assert isinstance(plain, SPAN)
    assert not plain.training
    assert not any(parameter.requires_grad for parameter in plain.parameters())
    assert next(training.parameters()).requires_grad
    assert deployed(plain) is plain
