"""A folder of small photos, cut from the example, and options of a run that takes seconds."""

from collections.abc import Callable
from pathlib import Path

import pytest

from esrgan_torch.images.files import read_image, write_image
from esrgan_torch.train.options import Options
from esrgan_torch.train.recipe import read_recipe

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four photos of 96 x 96 pixels."""
    folder = tmp_path_factory.mktemp("photos")
    pixels = read_image(ROOT / "examples" / "cat.jpg").pixels
    for number, (top, left) in enumerate(((0, 0), (30, 60), (44, 20), (20, 84))):
        write_image(folder / f"photo{number}.png", pixels[top : top + 96, left : left + 96].copy())
    return folder


@pytest.fixture
def make_options(photos: Path, tmp_path: Path) -> Callable[..., Options]:
    """The smoke recipe, smaller: make_options("steps=5", "data.batch=2")."""

    def make(*settings: str) -> Options:
        own = (
            f'data.folders=["{photos}"]',
            f"data.cache={tmp_path / 'cache'}",
            "data.patch=32",
            "data.batch=4",
            "steps=4",
            "log_every=2",
            "network.features=8",
            "network.convolutions=2",
        )
        return read_recipe("smoke", (*own, *settings))

    return make
