"""Rounding of filters: how far, what is kept, and filters that are odd."""

import numpy as np
import pytest

from esrgan_bridge.writers.rounding import in_levels, sum_keeping, unit_of


def expanded(values, group):
    """Levels of a filter, what they stand for, and the step of each weight."""
    unit = unit_of([values], group)
    found = in_levels(values, group, unit)
    steps = np.broadcast_to(found.steps * unit, found.levels.shape)
    return found, ((found.levels.astype(np.float32) - found.zeros) * steps).reshape(values.shape), steps


def test_levels_are_within_a_step():
    values = np.random.default_rng(0).normal(0, 0.05, (3, 3, 64, 32)).astype(np.float32)
    found, copy, steps = expanded(values, 8)
    assert found.levels.shape == (9, 8, 8, 32)
    assert found.zeros.shape == found.steps.shape == (1, 8, 1, 32)
    steps = steps.reshape(values.shape)
    assert (np.abs(copy - values) <= 1.01 * steps).all()
    # the sum of a kernel is kept to half a step, where rounding alone would leave up to 4.5
    sums = np.abs((copy - values).sum(axis=(0, 1)))
    assert (sums <= 0.51 * steps[0, 0]).mean() > 0.99  # a level at the end of its range cannot move on


def test_smaller_groups_are_closer():
    values = np.random.default_rng(0).normal(0, 0.05, (3, 3, 64, 32)).astype(np.float32)
    errors = [np.square(expanded(values, group)[1] - values).mean() for group in (16, 8, 4)]
    assert errors[0] > errors[1] > errors[2]


def test_sum_keeping():
    exact = np.full((9, 1), 0.4, np.float32)
    assert sum_keeping(exact).sum() == 4  # 3.6, rounded; each by itself would give 0
    assert set(np.unique(sum_keeping(exact))) <= {0, 1}
    assert (sum_keeping(-exact) == -sum_keeping(exact)).all()


@pytest.mark.parametrize(
    "values", [np.zeros((3, 3, 8, 4)), np.full((3, 3, 8, 4), 0.7), np.full((1, 1, 7, 1), -1e-7)]
)
def test_odd_filters(values):
    values = values.astype(np.float32)
    _, found, _ = expanded(values, 1 if values.shape[2] == 7 else 8)
    np.testing.assert_allclose(found, values, rtol=0.01, atol=1e-12)
