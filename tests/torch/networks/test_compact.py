"""CompactNet: parameter counts, sizes, and the skip written the way the paper's code has it."""

import pytest
import torch
from torch.nn import functional as F

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.compact import CompactNet, CompactNetConfig


@pytest.mark.parametrize(("convolutions", "expected"), [(16, 621_424), (32, 1_213_296)])
def test_parameter_counts_are_the_published_ones(convolutions: int, expected: int) -> None:
    model = CompactNet(convolutions=convolutions)
    assert sum(parameter.numel() for parameter in model.parameters()) == expected


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_skip_and_shuffle_are_those_of_the_original(scale: int, rng: torch.Generator) -> None:
    model = CompactNet(features=5, convolutions=2, scale=scale).double()
    batch = torch.rand(2, 3, 4, 3, generator=rng, dtype=torch.float64)
    features = batch
    for layer in model.body:
        features = layer(features)
    expected = F.pixel_shuffle(features, scale) + F.interpolate(batch, scale_factor=scale, mode="nearest")
    torch.testing.assert_close(model(batch), expected, rtol=0, atol=1e-12)


def test_nothing_beyond_the_receptive_field_arrives() -> None:
    model = CompactNet(features=4, convolutions=2, scale=2)
    batch = torch.rand(1, 3, 15, 15)
    changed = batch.clone()
    changed[..., 7, 7] += 1
    with torch.inference_mode():
        rows = (model(changed) - model(batch)).abs().amax((0, 1, 3)).nonzero().flatten()
    assert rows.min() == (7 - model.receptive_field) * 2
    assert rows.max() == (8 + model.receptive_field) * 2 - 1


@pytest.mark.parametrize("sizes", [{"scale": 5}, {"convolutions": 0}, {"in_channels": 1}])
def test_impossible_sizes_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        CompactNetConfig(**sizes)
