import pytest
import torch
from torch.nn import functional as F

from esrgan_torch.engines.footprint import Growth, peak_bytes

BATCH = torch.zeros(1, 3, 10, 10)  # 1200 bytes


def test_what_lives_at_once_counts():
    def run(batch):
        first = batch + 1  # 1200
        second = first * 2  # 2400
        del first  # 1200
        return second.repeat(1, 2, 1, 1)  # 3600

    assert peak_bytes(run, BATCH) == 3600


def test_views_take_nothing():
    assert (
        peak_bytes(lambda batch: (batch + 1).permute(0, 2, 3, 1)[:, 1:].reshape(-1), BATCH) < 2 * 1200 + 200
    )


def test_memory_that_was_there_before_does_not_count():
    weight = torch.zeros(100, 100)
    assert peak_bytes(lambda batch: batch + weight[0, 0], BATCH) == 1200


def test_a_convolution_counts_its_result():
    weight = torch.zeros(8, 3, 3, 3)
    assert peak_bytes(lambda batch: F.conv2d(batch, weight, padding=1), BATCH) == 8 * 100 * 4


@pytest.mark.parametrize(
    ("large", "expected"), [(400, 1600), (1600, 25600), (100, 400), (10**6, 4 * 4 * 10**6)]
)
def test_growth(large, expected):
    """Proportional at least, with the square of the pixels at most."""
    assert Growth((10, 100), (40, large)).bytes(160) == pytest.approx(expected, rel=1e-6)
