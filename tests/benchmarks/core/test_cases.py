"""The work of a case against the figures published for these networks; the sample picture."""

import numpy as np
import pytest

from esrgan_benchmarks.core.cases import Case, sample, work_of
from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RRDBNet


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [({}, 17_926_848), ({"blocks": 6}, 5_706_432), ({"features": 32, "blocks": 12}, 5_332_320)],
)
def test_multiply_adds_are_the_published_ones(sizes: dict[str, int], expected: int) -> None:
    assert work_of(RRDBNet(**sizes), (1, 8, 8, 3)).multiply_adds == 64 * expected


def test_work_grows_with_the_batch_and_the_weights_are_read_once() -> None:
    network = CompactNet(features=8, convolutions=1, scale=2)
    one, four = work_of(network, (1, 16, 16, 3)), work_of(network, (4, 16, 16, 3))
    weights = sum(values.numel() for name, values in network.named_parameters() if values.dim() in (1, 4))
    assert four.multiply_adds == 4 * one.multiply_adds
    assert four.largest == 4 * one.largest
    # three convolutions, 3 -> 8 -> 8 -> 12 channels; the activations' slopes are no convolution's
    values = 16 * 16 * ((3 + 8) + (8 + 8) + (8 + 12))
    assert one.traffic == 4 * (values + weights - 16)
    assert one.intensity == pytest.approx(2 * one.multiply_adds / one.traffic)


def test_the_sample_is_a_picture_of_8_bits_and_the_same_every_time() -> None:
    batch = sample((2, 20, 30, 3))
    assert batch.shape == (2, 20, 30, 3)
    assert batch.dtype == np.float32
    assert batch.min() >= 0
    assert batch.max() <= 1
    levels = batch * 255
    assert np.abs(levels - np.rint(levels)).max() < 1e-4
    assert not np.array_equal(batch[0], batch[1])
    assert np.array_equal(batch, sample((2, 20, 30, 3)))


def test_a_case_without_pixels_is_refused() -> None:
    with pytest.raises(ConfigError, match="1 or more"):
        Case("network", 0, 8)
    assert str(Case("network", 8, 9, 4)) == "network, 4 x 8x9"
