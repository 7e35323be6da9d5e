"""Fixtures that several folders of tests share."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

settings.register_profile("shared-machine", deadline=None, max_examples=50)
settings.load_profile("shared-machine")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of evaluation images, beside the repository; tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        message = "the evaluation images are not beside the repository (see CONTRIBUTING.md)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture
def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)
