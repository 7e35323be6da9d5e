"""`load(..., trainable=True)`: a network to train on."""

import torch

from esrgan_weights import load


def test_a_network_to_train_on_learns() -> None:
    model = load("esrgan-lite-x4", trainable=True)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    model(torch.rand(1, 3, 5, 6)).square().mean().backward()
    optimiser.step()
    assert any(not torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.provenance is not None


def test_a_network_to_use_is_frozen() -> None:
    model = load("esrgan-lite-x4")
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
