import pytest

from esrgan_torch.networks.compact import CompactNetConfig
from esrgan_torch.networks.rrdb import RRDBNetConfig
from esrgan_weights.architectures.registry import shapes_of
from esrgan_weights.checkpoint import empty_network


@pytest.mark.parametrize(
    "config",
    [
        RRDBNetConfig(8, 2, 4),
        RRDBNetConfig(12, 1, 5, scale=1, in_channels=4, out_channels=2),
        RRDBNetConfig(8, 12, 4, scale=2, unshuffle=2),
        RRDBNetConfig(8, 1, 4, scale=16, unshuffle=4),
        CompactNetConfig(8, 3, scale=3),
        CompactNetConfig(6, 1, 1, 4, 4),
    ],
)
def test_shapes_are_those_of_the_network(config):
    expected = {name: tuple(tensor.shape) for name, tensor in empty_network(config).state_dict().items()}
    assert list(shapes_of(config).items()) == list(expected.items())
