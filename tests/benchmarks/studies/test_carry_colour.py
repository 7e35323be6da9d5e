from pathlib import Path

import pytest
import torch

from esrgan_benchmarks.studies.carry_colour import with_colour
from esrgan_torch.errors import ConfigError
from esrgan_torch.images.files import read_image
from esrgan_torch.metrics.colour_blocks import colour_blocks
from esrgan_torch.metrics.psnr_ssim import psnr
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.upscaler import Upscaler

CAT = read_image(Path(__file__).parents[3] / "examples" / "cat.jpg").pixels[:64, :64]
BATCH = torch.from_numpy(CAT.copy()).permute(2, 0, 1)[None].float() / 255


def blind() -> CompactNet:
    """A network that adds the same to red, green and blue: what it makes of colour is repeated."""
    torch.manual_seed(0)
    network = CompactNet(12, 3).eval()
    with torch.no_grad():
        head = network.body[-1]
        for values in head.parameters():
            values.mul_(0.05).copy_(values[:16].repeat(3, *[1] * (values.ndim - 1)))
    return network


def test_colour_comes_through_and_luma_stays() -> None:
    before = Upscaler(blind(), "cpu")(CAT)
    network = with_colour(blind(), BATCH)
    assert network.config == blind().config
    after = Upscaler(network, "cpu")(CAT)
    assert colour_blocks(before, 4) > 10
    assert colour_blocks(after, 4) < 1.6
    # two of twelve features less
    assert psnr(before, after, channel="y") > 30


def test_the_given_network_is_not_changed() -> None:
    network = blind()
    values = [value.clone() for value in network.parameters()]
    with_colour(network, BATCH)
    assert all(torch.equal(*both) for both in zip(values, network.parameters(), strict=True))


def test_networks_without_colour() -> None:
    with pytest.raises(ConfigError, match="three channels and three features; given"):
        with_colour(CompactNet(8, 1, 4, 1, 1), torch.zeros(1, 1, 8, 8))
