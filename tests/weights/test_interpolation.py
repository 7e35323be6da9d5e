import pytest
import torch

from esrgan_torch.errors import ConfigError, WeightsError
from esrgan_torch.networks.base import Provenance
from esrgan_torch.networks.rrdb import RRDBNetConfig
from esrgan_weights import interpolate, load, save

CONFIG = RRDBNetConfig(8, 1, 4)


@pytest.fixture
def pair(make_network):
    first, second = make_network(CONFIG), make_network(CONFIG)
    first.provenance = Provenance("psnr", "new-arch", "a" * 64, "MIT")
    second.provenance = Provenance("gan", "new-arch", "b" * 64, "MIT")
    return first, second


@pytest.mark.parametrize("alpha", [0.0, 0.25, 0.8, 1.0])
def test_weights_are_mixed(pair, alpha):
    mixed = interpolate(*pair, alpha).state_dict()
    for name, tensor in pair[0].state_dict().items():
        expected = (1 - alpha) * tensor + alpha * pair[1].state_dict()[name]
        torch.testing.assert_close(mixed[name], expected, rtol=0, atol=1e-7)


def test_ends_are_exact_and_nothing_is_changed(pair):
    before = {name: tensor.clone() for name, tensor in pair[0].state_dict().items()}
    assert all(
        torch.equal(interpolate(*pair, 0).state_dict()[name], tensor) for name, tensor in before.items()
    )
    assert all(torch.equal(pair[0].state_dict()[name], tensor) for name, tensor in before.items())


def test_provenance_says_both(pair, tmp_path):
    mixed = interpolate(*pair, 0.8)
    assert mixed.provenance == Provenance(
        "0.2 * psnr + 0.8 * gan", "interpolated", f"{'a' * 64} {'b' * 64}", "MIT"
    )
    assert load(save(mixed, tmp_path / "a.safetensors")).provenance.licence == "MIT"


@pytest.mark.parametrize(("licence", "expected"), [("Apache-2.0", "Apache-2.0 AND MIT"), (None, None)])
def test_licences(pair, licence, expected):
    pair[0].provenance = Provenance("psnr", "new-arch", "a" * 64, licence)
    assert interpolate(*pair, 0.5).provenance.licence == expected


@pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan")])
def test_alpha(pair, alpha):
    with pytest.raises(ConfigError, match="alpha must be between 0"):
        interpolate(*pair, alpha)


def test_other_sizes(pair, make_network, small_compact):
    with pytest.raises(WeightsError, match=r"same sizes.*growth=4.*growth=8"):
        interpolate(pair[0], make_network(RRDBNetConfig(8, 1, 8)), 0.5)
    with pytest.raises(WeightsError, match="same sizes"):
        interpolate(pair[0], small_compact, 0.5)
