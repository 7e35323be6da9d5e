"""The count of multiply-adds, against the figures published for these networks."""

from dataclasses import asdict

import pytest

from esrgan_benchmarks.studies.speed import _gflops
from esrgan_torch.networks.rrdb import RRDBNet, RRDBNetConfig


@pytest.mark.parametrize(
    ("config", "expected"),
    [(RRDBNetConfig(), 17_926_848), (RRDBNetConfig(blocks=6), 5_706_432), (RRDBNetConfig(32, 12), 5_332_320)],
)
def test_multiply_adds_are_the_published_ones(config: RRDBNetConfig, expected: int) -> None:
    network = RRDBNet(**asdict(config))
    assert _gflops(network, 16, 1e-3) == pytest.approx(2 * 256 * expected / 1e6, abs=0.05)
