"""Tiny networks, what they were converted to, and runtimes that a machine may lack."""

import os
from collections.abc import Callable
from importlib.util import find_spec

import pytest
from esrgan_bridge.runners import RUNNERS
from esrgan_torch.compact import CompactNet
from esrgan_torch.generator import RRDBNet
from tests.torch.networks import small_compact, small_rrdb


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


@pytest.fixture
def tiny_rrdb() -> RRDBNet:
    """x4, which has every part that the other scales have."""
    return small_rrdb(blocks=1).eval().requires_grad_(False)


@pytest.fixture
def tiny_compact() -> CompactNet:
    return small_compact(convolutions=2, scale=2).eval().requires_grad_(False)
