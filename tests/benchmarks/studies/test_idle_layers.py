from typing import cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from esrgan_benchmarks.studies.idle_layers import directions, regrow
from esrgan_torch import CompactNet
from esrgan_torch.errors import ConfigError
from esrgan_torch.train.initial import start_as_identity


def stage(network: CompactNet, number: int) -> tuple[nn.Parameter, nn.Parameter, nn.Parameter]:
    """Weight and bias of a stage's convolution, slopes of its PReLU."""
    convolution, activation = network.body[2 * number], network.body[2 * number + 1]
    return (
        convolution.get_parameter("weight"),
        convolution.get_parameter("bias"),
        activation.get_parameter("weight"),
    )


@pytest.fixture
def network(rng: torch.Generator) -> CompactNet:
    """Eight features and nine stages; between the third and the seventh only two features go on."""
    torch.manual_seed(3)
    network = CompactNet(8, 8)
    start_as_identity(network)
    nn.init.normal_(network.body[-1].get_parameter("weight"), std=0.05)
    for number in range(3, 7):
        weight, bias, slopes = stage(network, number)
        nn.init.zeros_(weight)
        nn.init.zeros_(bias)
        nn.init.ones_(slopes)
        weight.data[0, 0, 1, 1] = weight.data[1, 1, 1, 1] = 1
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
    slopes = [bool((stage(grown, number)[2] == 1).all()) for number in range(9)]
    # the fitted stage takes over the slopes of the last one that it replaces, which are 1 here
    assert slopes == [False, False, False, True, True, False, True, False, True]
    wide = [stage(grown, number)[0] for number in range(4, 9, 2)]
    ranks = [
        int(np.linalg.matrix_rank(cast(NDArray[np.float32], weight[:, :, 1, 1].numpy()))) for weight in wide
    ]
    assert ranks == [8] * len(wide)


@pytest.mark.parametrize(("first", "last"), [(0, 3), (3, 3), (3, 9), (1, 6)])
def test_ranges_that_cannot_be(network: CompactNet, first: int, last: int) -> None:
    with pytest.raises(ConfigError, match=f"stages {first} to {last} of 9"):
        regrow(network, torch.rand(1, 3, 8, 8), first, last)
