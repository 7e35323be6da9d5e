import math

import numpy as np
import pytest

from esrgan_torch.train.data.blur import blur_kernel, sinc_kernel


def moments(kernel: np.ndarray) -> tuple[float, float, float]:
    """Variances along x and y, and their covariance."""
    axis = np.arange(kernel.shape[0]) - kernel.shape[0] // 2
    x, y = np.meshgrid(axis, axis)
    return float((kernel * x * x).sum()), float((kernel * y * y).sum()), float((kernel * x * y).sum())


def test_a_gaussian_has_its_widths() -> None:
    kernel = blur_kernel(41, (3.0, 1.5))
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    across, down, both = moments(kernel)
    assert (across, down, both) == pytest.approx((9.0, 2.25, 0.0), abs=1e-3)


def test_a_turn_moves_the_first_axis() -> None:
    across, down, both = moments(blur_kernel(41, (3.0, 1.5), turn=math.pi / 4))
    assert (across, down) == pytest.approx((5.625, 5.625), abs=1e-2)
    assert both == pytest.approx(3.375, abs=1e-2)


def test_beta_1_of_a_generalized_blur_is_a_gaussian() -> None:
    assert np.allclose(blur_kernel(21, (2, 2), shape="generalized"), blur_kernel(21, (2, 2)))


def test_a_large_beta_flattens_the_top() -> None:
    def top(kernel: np.ndarray) -> float:
        return float(kernel[10, 11] / kernel[10, 10])

    gaussian = blur_kernel(21, (2, 2))
    assert top(blur_kernel(21, (2, 2), shape="generalized", beta=4)) > top(gaussian)
    assert top(blur_kernel(21, (2, 2), shape="generalized", beta=0.5)) < top(gaussian)
    # 1 / (q + 1) at distance 1 of sigma 2: q = 1/4
    assert top(blur_kernel(21, (2, 2), shape="plateau")) == pytest.approx(1 / 1.25)


def test_a_sinc_filter_passes_what_is_below_its_cutoff() -> None:
    kernel = sinc_kernel(201, math.pi / 2)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    response = np.abs(np.fft.rfft(kernel.sum(0)))
    frequency = np.linspace(0, math.pi, response.size)
    assert np.abs(response[frequency < 1.3] - 1).max() < 0.1
    assert response[frequency > 1.8].max() < 0.1
