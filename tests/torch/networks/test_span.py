"""SPAN: equal to spandrel's class, which holds the official code; sizes, sight, tiles."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from esrgan_torch.errors import ConfigError
from esrgan_torch.metrics.torchvision_import import import_torchvision
from esrgan_torch.networks.span import SPAN, SPANConfig
from esrgan_torch.networks.span_training import SPANTraining
from tests.torch.networks import shaken


def peer(config: SPANConfig, tensors: Mapping[str, Tensor]) -> nn.Module:
    """spandrel's network with these tensors, float64."""
    import_torchvision()
    pytest.importorskip("spandrel")
    module: Any = import_module("spandrel.architectures.SPAN.__arch.span")
    network = module.SPAN(
        num_in_ch=config.in_channels,
        num_out_ch=config.out_channels,
        feature_channels=config.features,
        upscale=config.scale,
        norm=config.normalised,
    ).double()
    lost = network.load_state_dict(tensors, strict=False)
    assert not lost.unexpected_keys
    assert all("eval_conv" in name or name == "no_norm" for name in lost.missing_keys)
    return network.eval()


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize(("features", "scale"), [(5, 1), (8, 2), (6, 3), (48, 4), (3, 8)])
def test_both_forms_equal_the_official_network(features: int, scale: int, normalised: bool) -> None:
    torch.manual_seed(features)
    training = shaken(SPANTraining(features, scale, normalised=normalised).double())
    batch = torch.rand(2, 3, 9, 6, dtype=torch.float64)
    expected = peer(training.config, training.state_dict())(batch).detach()
    size = expected.abs().max()
    torch.testing.assert_close(training(batch), expected, rtol=0, atol=1e-12 * float(size))
    torch.testing.assert_close(training.fused()(batch), expected, rtol=0, atol=1e-12 * float(size))


def test_gray_pictures_are_taken_as_they_are() -> None:
    training = shaken(SPANTraining(4, 2, 1, 1, normalised=False).double())
    batch = torch.rand(1, 1, 5, 4, dtype=torch.float64)
    expected = peer(training.config, training.state_dict())(batch).detach()
    torch.testing.assert_close(training.fused()(batch), expected, rtol=0, atol=1e-12)


def test_parameters_of_the_official_sizes() -> None:
    # 175 F² + 459 F weights, which are the multiply-adds of an input pixel, and 20 F + 48 + F biases
    parameters = sum(parameter.numel() for parameter in SPAN().parameters())
    assert parameters == 175 * 48**2 + 459 * 48 + 21 * 48 + 48


def test_nothing_beyond_the_receptive_field_arrives() -> None:
    torch.manual_seed(0)
    model = shaken(SPAN(features=6, scale=2).double())
    batch = torch.rand(1, 3, 49, 49, dtype=torch.float64)
    changed = batch.clone()
    changed[..., 24, 24] += 1
    with torch.inference_mode():
        rows = (model(changed) - model(batch)).abs().amax((0, 1, 3)).nonzero().flatten()
    assert rows.min() == (24 - model.receptive_field) * 2
    assert rows.max() == (25 + model.receptive_field) * 2 - 1


def test_windows_and_tiles_of_the_tail_are_exact() -> None:
    model = shaken(SPAN(features=6, scale=3).double())
    batch = torch.rand(1, 3, 30, 61, dtype=torch.float64)
    with torch.inference_mode():
        whole, features = model(batch), model.trunk(batch)
        window = model(batch[..., : 40 + model.receptive_field])[..., : 40 * 3]
        torch.testing.assert_close(window, whole[..., : 40 * 3], rtol=0, atol=1e-12)
        assert torch.equal(model.tail(features[..., 7:20, 5:9]), whole[..., 21:60, 15:27])


@pytest.mark.parametrize("sizes", [{"scale": 5}, {"features": 0}, {"in_channels": 1}])
def test_impossible_sizes_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        SPANConfig(**sizes)
