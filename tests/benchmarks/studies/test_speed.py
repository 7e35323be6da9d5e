"""The count of multiply-adds, against the figures published for these networks."""

import pytest

from esrgan_benchmarks.studies.speed import multiply_adds
from esrgan_torch.networks.rrdb import RRDBNetConfig


@pytest.mark.parametrize(
    ("config", "expected"),
    [(RRDBNetConfig(), 17_926_848), (RRDBNetConfig(blocks=6), 5_706_432), (RRDBNetConfig(32, 12), 5_332_320)],
)
def test_multiply_adds_are_the_published_ones(config: RRDBNetConfig, expected: int) -> None:
    assert multiply_adds(config) == expected
