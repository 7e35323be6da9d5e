"""Tiny networks, what they were converted to, and runtimes that a machine may lack."""

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import nn

from esrgan_bridge.chain import convert
from esrgan_bridge.runners import RUNNERS
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RRDBNet
from esrgan_torch.networks.span import RGB_RANGE, SPAN


def lacking(reason: str) -> None:
    """Skip and say why; where tests must be complete, fail."""
    if os.environ.get("CI"):
        pytest.fail(f"CI must have every runtime: {reason}")
    pytest.skip(f"NOT TESTED: {reason}")


@pytest.fixture(scope="session")
def need() -> Callable[[str], None]:
    """need("onnx"), need("tfjs-node"): go on only with that package or runner."""

    def check(name: str) -> None:
        runner = next((runner for runner in RUNNERS if runner.name == name), None)
        if runner is not None:
            if reason := runner.available():
                lacking(reason)
        elif find_spec(name) is None:
            lacking(f"{name} is not installed")

    return check


@pytest.fixture(scope="session")
def by_route_tf(tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], None]) -> Path:
    """The tiny RRDBNet by the route tf, not measured; made once, since importing tensorflow takes seconds."""
    need("tensorflow")
    need("tensorflowjs")
    folder = tmp_path_factory.mktemp("route-tf") / "net"
    convert(make_rrdb(), folder, runners=[])
    return folder


@pytest.fixture
def tiny_rrdb() -> RRDBNet:
    """x4, which has every part that the other scales have."""
    return make_rrdb()


@pytest.fixture
def tiny_compact() -> CompactNet:
    return make_compact()


def make_compact() -> CompactNet:
    network = CompactNet(features=8, convolutions=2, scale=2)
    make_lively(network)
    return network


def make_rrdb(**sizes: int) -> RRDBNet:
    """A tiny RRDBNet; any of its sizes may be given."""
    network = RRDBNet(**{"features": 8, "blocks": 1, "growth": 4, **sizes})
    make_lively(network)
    return network


def make_span() -> SPAN:
    """Its normalisation makes numbers of up to 140 of a picture, which the first weights take back."""
    network = SPAN(features=8, scale=2)
    make_lively(network)
    assert isinstance(network.conv_1, nn.Conv2d)
    network.conv_1.weight.data /= RGB_RANGE / 2
    return network


def make_lively(network: Generator) -> None:
    """Give weights under which each layer shows in the output, as in a trained network.

    With those that PyTorch starts with, a fault inside the body fades on its way out.
    """
    random = torch.Generator().manual_seed(7)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            gain = 1.4 / (module.in_channels * 9) ** 0.5
            module.weight.data = torch.randn(module.weight.shape, generator=random) * gain
            assert module.bias is not None
            module.bias.data = torch.randn(module.bias.shape, generator=random) * 0.1
        if isinstance(module, nn.PReLU):
            module.weight.data = torch.rand(module.weight.shape, generator=random) * 0.4
    network.eval().requires_grad_(False)
