from typing import cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from esrgan_benchmarks.idle_layers import directions, regrow, stages
from esrgan_torch import CompactNet
from esrgan_torch.errors import ConfigError
from esrgan_torch.train.initial import start_as_identity


@pytest.fixture
def network(rng: torch.Generator) -> CompactNet:
    """Eight features and nine stages; between the third and the seventh only two features go on."""
    torch.manual_seed(3)
    network = CompactNet(8, 8)
    start_as_identity(network)
    nn.init.normal_(network.body[-1].get_parameter("weight"), std=0.05)
    for stage in stages(network)[3:7]:
        passes = torch.zeros_like(stage.weight)
        passes[0, 0, 1, 1] = passes[1, 1, 1, 1] = 1
        stage.become(passes, torch.zeros(8), torch.ones(8))
    return network.eval()


@torch.no_grad()
def test_a_bottleneck_is_found(network: CompactNet, rng: torch.Generator) -> None:
    pictures = [torch.rand(1, 3, 20, 24, generator=rng) for _ in range(2)]
    counts = [directions(network, pictures, number) for number in range(9)]
    assert counts[3:7] == [2] * 4
    assert min(counts[0], counts[8]) > 2


@torch.no_grad()
def test_what_is_regrown_computes_the_same_and_has_room(network: CompactNet, rng: torch.Generator) -> None:
    grown = regrow(network, torch.rand(4, 3, 24, 24, generator=rng), 3, 6)
    other = torch.rand(1, 3, 20, 24, generator=rng)
    assert torch.allclose(grown(other), network(other), atol=1e-3)
    assert grown.config == network.config
    slopes = [bool((stage.slopes == 1).all()) for stage in stages(grown)]
    # the fitted stage takes over the slopes of the last one that it replaces, which are 1 here
    assert slopes == [False, False, False, True, True, False, True, False, True]
    wide = [stage.weight for stage in stages(grown)][4::2]
    ranks = [
        int(np.linalg.matrix_rank(cast(NDArray[np.float32], weight[:, :, 1, 1].numpy()))) for weight in wide
    ]
    assert ranks == [8] * len(wide)


@pytest.mark.parametrize(("first", "last"), [(0, 3), (3, 3), (3, 9), (1, 6)])
def test_ranges_that_cannot_be(network: CompactNet, first: int, last: int) -> None:
    with pytest.raises(ConfigError, match=f"stages {first} to {last} of 9"):
        regrow(network, torch.rand(1, 3, 8, 8), first, last)
