"""Fixtures that several folders of tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

# several processes of tests with as many threads each as there are cores would only wait for one another
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
torch.set_num_threads(max((os.cpu_count() or 1) // WORKERS, 1))

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


@pytest.fixture(scope="session", autouse=True)
def own_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test sees, or adds to, the models that a developer keeps."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ESRGAN_DATA", str(folder))
        yield folder


@pytest.fixture
def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)
