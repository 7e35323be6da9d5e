"""Good files for the tries, and a process that is ready for them."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture.forks import Forks
from tests.torture.good import Good


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder that every user can enter, which pytest's own is not."""
    from tempfile import mkdtemp

    folder = Path(mkdtemp(prefix="esrgan-torture-"))
    folder.chmod(0o755)
    yield folder
    subprocess.run(["chmod", "-R", "u+rwX", folder], check=False)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def good(scratch: Path) -> Good:
    return Good(scratch / "good")


@pytest.fixture(scope="session")
def forks(scratch: Path) -> Iterator[Forks]:
    with Forks(scratch / "said") as running:
        yield running
