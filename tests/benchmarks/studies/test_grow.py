import pytest
import torch

from esrgan_benchmarks.studies.grow import grown
from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.compact import CompactNet
from esrgan_weights.loading import load


@pytest.mark.parametrize("convolutions", [17, 19, 24])
def test_a_grown_network_computes_nearly_the_same(convolutions: int) -> None:
    network = load("esrgan-lite-x4")
    assert isinstance(network, CompactNet)
    larger = grown(network, convolutions)
    assert larger.config.convolutions == convolutions
    picture = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        distance = (larger(picture) - network(picture)).abs().mean()
    assert 0 < distance < 0.02


def test_a_network_does_not_shrink() -> None:
    with pytest.raises(ConfigError, match="has 2 convolutions; give more"):
        grown(CompactNet(8, 2), 2)
