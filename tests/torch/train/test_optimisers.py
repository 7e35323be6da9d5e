"""SOAP against what defines it: Adam that does not mind how a weight's rows and columns are turned."""

import sys

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from esrgan_torch import CompactNet
from esrgan_torch.errors import ConfigError
from esrgan_torch.train.optimisers import make_adam, make_optimiser
from esrgan_torch.train.options import OptimiserOptions

SIDE = 8  # square, so that the first gradient tells the basis of both sides


def turn(rng: np.random.Generator) -> Tensor:
    """A random orthogonal matrix."""
    return torch.from_numpy(np.linalg.qr(rng.normal(size=(SIDE, SIDE))).Q)


class Valley(nn.Module):
    """|rows (weight - goal) columns|², narrow: the sides of `rows` and `columns` differ by a hundred."""

    def __init__(self, rows: Tensor, columns: Tensor, goal: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros_like(goal))
        self.rows, self.columns, self.goal = rows, columns, goal

    def forward(self) -> Tensor:
        return (self.rows @ (self.weight - self.goal) @ self.columns).square().sum()


def descend(network: nn.Module, optimiser: torch.optim.Optimizer, steps: int = 60) -> list[float]:
    losses: list[float] = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = network()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


@pytest.fixture
def valleys() -> tuple[Valley, Valley]:
    """A valley along the axes, and the same one in turned coordinates."""
    rng = np.random.default_rng(0)
    rows = columns = torch.diag(torch.logspace(-1, 1, SIDE, dtype=torch.float64))
    goal = torch.from_numpy(rng.normal(size=(SIDE, SIDE)))
    left, right = turn(rng), turn(rng)
    return Valley(rows, columns, goal), Valley(rows @ left.T, right @ columns, left @ goal @ right.T)


def test_soap_does_not_mind_turned_coordinates_and_adam_does(valleys: tuple[Valley, Valley]) -> None:
    straight, turned = valleys
    options = OptimiserOptions(kind="SOAP", rate=0.05, betas=(0.9, 0.95))
    soap = [descend(valley, make_optimiser(valley, options)) for valley in valleys]
    assert soap[1] == pytest.approx(soap[0], rel=1e-2)
    for valley in (straight, turned):
        nn.init.zeros_(valley.weight)
    adam = [descend(valley, make_adam(valley, options)) for valley in valleys]
    assert adam[1][-1] > 1.5 * adam[0][-1]
    assert soap[1][-1] < adam[1][-1]


def test_a_convolution_counts_as_the_matrix_that_multiplies_patches() -> None:
    network = CompactNet(12, 1)
    optimiser = make_optimiser(network, OptimiserOptions(kind="SOAP"))
    network(torch.rand(1, 3, 5, 5)).sum().backward()
    optimiser.step()
    state = [optimiser.state[parameter] for parameter in network.parameters()]
    sides = [[len(basis) for basis in each["Q"]] for each in state]
    vector = [0]  # no basis: Adam
    assert sides == [[12, 27], vector, vector, [12, 108], vector, vector, [48, 108], vector]


def test_adam_is_the_default_and_the_discriminators() -> None:
    network = CompactNet(4, 1)
    assert isinstance(make_optimiser(network, OptimiserOptions()), torch.optim.Adam)
    assert isinstance(make_adam(network, OptimiserOptions(kind="SOAP")), torch.optim.Adam)


def test_without_its_library_soap_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_optimizer", None)
    with pytest.raises(ConfigError, match=r'pip install "esrgan-torch\[train\]"'):
        make_optimiser(CompactNet(4, 1), OptimiserOptions(kind="SOAP"))
