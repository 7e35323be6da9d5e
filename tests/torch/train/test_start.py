import pytest
import torch

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RRDBNet
from esrgan_torch.networks.span import SPAN
from esrgan_torch.train.options import NetworkOptions
from esrgan_torch.train.recipe import read_recipe
from esrgan_torch.train.start import make_generator

SMALL = NetworkOptions("RRDBNet", features=4, blocks=1, growth=2)


def test_another_network_is_named_by_its_sizes() -> None:
    words = (
        r"is a RRDBNet with features 4, blocks 2, growth 2, scale 4, and the recipe's is a RRDBNet with "
        r"features 4, blocks 1, growth 2, scale 4; leave the recipe's sizes out .* network.strict=false"
    )
    with pytest.raises(ConfigError, match=words):
        make_generator(SMALL, RRDBNet(4, 2, 2), print)
    with pytest.raises(ConfigError, match="for pictures of 1 channels, and RGB"):
        make_generator(SMALL, RRDBNet(4, 1, 2, in_channels=1, out_channels=1), print)


def test_what_fits_is_taken_and_the_rest_is_told() -> None:
    given = RRDBNet(4, 2, 2)
    options = NetworkOptions("RRDBNet", features=4, blocks=1, growth=2, strict=False)
    told: list[str] = []
    made = make_generator(options, given, told.append)
    for name, value in made.state_dict().items():
        assert torch.equal(value, given.state_dict()[name])
    assert "; 42 of its 72 tensors fit and were taken; left out: body.1.rdb1.conv1.bias, " in told[0]
    assert told[0].endswith(" and 25 more; new: none")
    with pytest.raises(ConfigError, match="nothing of it fits"):
        make_generator(options, CompactNet(4, 1), print)


def test_a_training_form_takes_what_fits_too() -> None:
    given = SPAN(6, 4, normalised=False)
    options = NetworkOptions("SPAN", init="enlargement", features=6, scale=2, strict=False)
    made = make_generator(options, given, lambda _: None)
    plain = made.fused()
    torch.testing.assert_close(plain.conv_1.weight, given.conv_1.weight, rtol=0, atol=1e-5)


def test_sizes_come_from_the_initial_network_where_none_are_given() -> None:
    asked: list[str] = []

    def load(name: str) -> RRDBNet:
        asked.append(name)
        return RRDBNet(4, 1, 2, scale=2, unshuffle=2)

    # the recipe's sizes are those of its own initial network
    options = read_recipe("esrgan-x4", ("network.initial=mine.pth",), load=load)
    network = options.network
    assert asked == ["mine.pth"]
    assert (network.features, network.blocks, network.growth, network.scale, network.unshuffle) == (
        4,
        1,
        2,
        2,
        2,
    )
    assert make_generator(network, load(""), print).config == load("").config
    assert read_recipe("esrgan-x4", load=load).network.blocks == 23
    # another kind of network, which cannot start as the recipe says
    assert read_recipe("smoke", ("network.initial=mine.pth",), load=load).network.init == "scaled"
    # and what is given counts
    given = ("network.initial=mine.pth", "network.blocks=3")
    assert read_recipe("esrgan-x4", given, load=load).network.blocks == 3
