"""A Vulkan device: Mesa's lavapipe, where there is no GPU."""

import os

import pytest

from esrgan_torch.engines.ncnn import vulkan


@pytest.fixture(scope="session")
def device() -> str:
    """The name of the first one; where there is none, tests say so and are skipped, but not in CI."""
    reason = vulkan.missing(0)
    if reason is None:
        return "vulkan:0"
    if os.environ.get("CI"):
        pytest.fail(f"CI must have a Vulkan device: {reason}")
    pytest.skip(f"NOT TESTED: {reason}")
