"""The graph that is written, computed layer by layer, is the network in torch; others are held to it."""

import numpy as np
import pytest
import torch

from esrgan_torch.engines.ncnn.graph import Layer, print_layers
from esrgan_torch.networks.compact import CompactNetConfig
from esrgan_torch.networks.rrdb import RRDBNetConfig
from esrgan_torch.networks.span import SPANConfig
from esrgan_weights import read_checkpoint, save
from esrgan_weights.errors import CheckpointError
from esrgan_weights.formats.ncnn.compute import compute
from esrgan_weights.formats.ncnn.network import ncnn_graph
from esrgan_weights.formats.ncnn.parse import parse


@pytest.mark.parametrize(
    "config",
    [
        RRDBNetConfig(8, 2, 4),
        RRDBNetConfig(8, 1, 4, scale=1, in_channels=4, out_channels=3),
        RRDBNetConfig(8, 1, 4, scale=2, unshuffle=2),
        RRDBNetConfig(8, 1, 4, scale=1, unshuffle=4, in_channels=1, out_channels=1),
        RRDBNetConfig(8, 1, 4, scale=8),
        CompactNetConfig(8, 3, scale=4),
        CompactNetConfig(8, 1, scale=3, in_channels=1, out_channels=1),
        CompactNetConfig(8, 2, scale=1),
        SPANConfig(8, scale=2),
        SPANConfig(4, scale=1, in_channels=1, out_channels=1, normalised=False),
    ],
)
def test_the_graph_is_the_network(make_network, config):
    network = make_network(config).double()
    picture = torch.rand(config.in_channels, 8, 12, generator=torch.Generator().manual_seed(1)).double()
    weights: dict[str, tuple[np.ndarray, ...]] = {}
    for name, tensor in network.state_dict().items():
        module = name.rpartition(".")[0]
        weights[module] = (*weights.get(module, ()), tensor.numpy())
    layers = parse(print_layers(ncnn_graph(config)))
    found = torch.from_numpy(compute(layers, weights, picture.numpy()))
    room = 1e-5 if isinstance(config, SPANConfig) else 1e-9  # the text has seven digits of the mean colour
    torch.testing.assert_close(found, network(picture[None])[0], rtol=room, atol=room)


def test_a_value_that_nothing_makes():
    with pytest.raises(CheckpointError, match="uses the value 'x', which no layer makes"):
        compute([Layer("ReLU", "a", ("x",), ("y",))], {}, np.zeros((1, 2, 2)))


def test_reading_leaves_every_threads_settings(small_rrdb, tmp_path, monkeypatch):
    path = save(small_rrdb, tmp_path / "a.param")
    monkeypatch.setattr(torch, "set_num_threads", lambda count: pytest.fail("a setting of the whole process"))
    read_checkpoint(path)
