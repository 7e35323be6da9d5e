import pytest
import torch

from esrgan_benchmarks.studies.grow import grown, rescaled
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


@pytest.mark.parametrize(("given", "scale"), [(4, 2), (4, 1), (8, 4)])
def test_a_smaller_scale_makes_the_means_of_what_the_larger_one_makes(given: int, scale: int) -> None:
    network = CompactNet(8, 2, given).eval()
    smaller = rescaled(network, scale)
    assert smaller.config.scale == scale
    picture = torch.rand(1, 3, 7, 5, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        wanted = torch.nn.functional.avg_pool2d(network(picture), given // scale)
        assert (smaller(picture) - wanted).abs().max() < 1e-6
    trunk = dict(list(network.state_dict().items())[:-2])
    assert all(torch.equal(smaller.state_dict()[name], value) for name, value in trunk.items())


@pytest.mark.parametrize("scale", [4, 3, 8])
def test_a_scale_that_does_not_divide(scale: int) -> None:
    with pytest.raises(ConfigError, match="enlarges 4 times; give a smaller scale"):
        rescaled(CompactNet(8, 2), scale)
