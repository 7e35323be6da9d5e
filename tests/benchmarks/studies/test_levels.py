"""What networks do to levels, with a network that is known."""

import numpy as np
import pytest
import torch

from esrgan_benchmarks.studies import levels
from esrgan_torch import CompactNet


@pytest.fixture(scope="module")
def darker() -> CompactNet:
    """Enlarges by repeating pixels, and takes 0.02 off wherever it is asked."""
    network = CompactNet(features=4, convolutions=1).eval().requires_grad_(False)
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    last = network.body[-1].bias
    assert isinstance(last, torch.Tensor)
    torch.nn.init.constant_(last, -0.02)
    return network


def test_shapes_are_reduced_to_what_they_cover() -> None:
    truth = levels.shapes(4)
    assert truth.shape == (288, 288, 1)
    mean, hard = levels.reduced(truth, "mean"), levels.reduced(truth, "threshold")
    assert len(np.unique(mean)) > 50
    assert set(np.unique(hard)) == {0, 255}
    assert mean.mean() == pytest.approx(truth.mean(), abs=0.1)
    # a pixel that is clear or opaque is so all over
    for value in (0, 255):
        assert (np.kron(mean[:, :, 0] == value, np.ones((4, 4))) <= (truth[:, :, 0] == value)).all()


def test_rings_count_pixels_to_the_nearest_other_one() -> None:
    same = np.ones((5, 7), bool)
    same[2, 2] = False
    distance = levels.rings(same, 2)
    assert distance.shape == (10, 14)
    assert distance[::2, ::2].tolist()[2] == [2, 1, 0, 1, 2, 3, 4]
    assert distance[0].tolist() == [2] * 10 + [3] * 2 + [4] * 2


def test_a_known_drift_is_found(darker: CompactNet) -> None:
    rows = levels.flat("darker", darker)
    white = [row["mean"] for row in rows if row["colour"] == "white"]
    assert white == pytest.approx([0.02 * 255] * 3, abs=0.01)
    assert [row["max"] for row in rows if row["colour"] == "black"] == [0, 0, 0]  # cut off at black
    row = levels.alpha("darker", darker, "mean")
    assert (row["clear_changed"], row["opaque_changed"]) == (0, 1)
    assert row["psnr_kept"] > row["psnr_alone"]


def test_half_precision_is_beside_float32(darker: CompactNet) -> None:
    exact, half, brain = levels.sixteen("darker", darker, "ramp")
    assert (exact["max"], exact["rms"]) == (0, 0)
    assert exact["distinct"] > 2500
    assert half["max"] <= 1
    assert 0 < brain["max"] < 10  # the bias alone is rounded: the skip is float32
