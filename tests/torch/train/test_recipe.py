import re
from pathlib import Path

import pytest

from esrgan_torch.errors import ConfigError
from esrgan_torch.train.options import Options
from esrgan_torch.train.recipe import as_toml, read_recipe, recipes


def test_the_recipes_that_come_with_the_package() -> None:
    assert recipes() == [
        "distill-x4",
        "esrgan-lite-x4-span",
        "esrgan-x4",
        "lite-x4",
        "psnr-x4",
        "realesrgan-x4",
        "smoke",
    ]


@pytest.mark.parametrize("name", recipes())
def test_a_recipe_is_read_and_written_back(name: str, tmp_path: Path) -> None:
    options = read_recipe(name)
    path = tmp_path / "again.toml"
    path.write_text(as_toml(options), encoding="utf-8")
    assert read_recipe(path) == options


def test_the_figures_of_the_papers() -> None:
    first, second, wild = (read_recipe(name) for name in ("psnr-x4", "esrgan-x4", "realesrgan-x4"))
    assert (first.network.blocks, first.network.features, first.network.growth) == (23, 64, 32)
    assert (first.optimiser.rate, first.data.batch, first.data.patch) == (2e-4, 16, 128)
    assert (second.losses.pixel, second.losses.perceptual, second.losses.adversarial) == (1e-2, 1.0, 5e-3)
    assert second.optimiser.milestones == (50_000, 100_000, 200_000, 300_000)
    assert (wild.losses.pixel, wild.losses.perceptual, wild.losses.adversarial) == (1.0, 1.0, 0.1)
    assert wild.losses.layers == {
        "conv1_2": 0.1, "conv2_2": 0.1, "conv3_4": 1.0, "conv4_4": 1.0, "conv5_4": 1.0
    }  # fmt: skip


def test_settings_are_laid_over_a_recipe() -> None:
    settings = ("data.batch=3", "optimiser.rate=1", "losses.vgg=random", 'data.folders=["a", "b"]')
    options = read_recipe("smoke", settings)
    assert options.data.batch == 3
    assert options.optimiser.rate == 1.0
    assert options.losses.vgg == "random"
    assert options.data.folders == ("a", "b")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("data.btach=3", "unknown option data.btach; did you mean batch?"),
        ("stepz=3", "unknown option stepz; did you mean steps?"),
        ("data.batch=many", "data.batch is a whole number, such as data.batch=16; not 'many'"),
        ("network.kind=UNet", "network.kind is one of RRDBNet, CompactNet"),
        ("data=3", "data must be a table of options"),
        ("steps.more=3", "steps is not a table"),
        ("data.folders=[a,b]", 'data.folders is a list, such as \'data.folders=["a","b"]\''),
        ("optimiser.betas=[0.9]", "optimiser.betas is a list of 2 values"),
        ("losses.layers.conv5_4=x", "losses.layers.conv5_4 is a number"),
        ("steps", "a setting looks like data.batch=8"),
        ("steps=0", "steps is at least 1"),
        ("data.patch=30", "data.patch is a multiple of the scale 4"),
        ("losses.pixel=0", "and one is more than 0; given 0, 0, 0, 0"),
        ("ema=1", "ema is at least 0 and below 1"),
        ('data.small_folders=["a", "b"]', "one folder for each"),
        ("network.kind=RRDBNet", "network.init of RRDBNet is scaled, not 'identity'"),
    ],
)
def test_settings_that_cannot_be(setting: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        read_recipe("smoke", (setting,))


def test_recipes_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no recipe 'psnr-4'; did you mean psnr-x4\?"):
        read_recipe("psnr-4")
    with pytest.raises(ConfigError, match="there is no such recipe"):
        read_recipe(tmp_path / "own.toml")
    (tmp_path / "own.toml").write_text("steps = = 3")
    with pytest.raises(ConfigError, match="is not TOML"):
        read_recipe(tmp_path / "own.toml")


def test_the_defaults_are_options_of_their_own() -> None:
    assert Options().losses.layers == {"conv5_4": 1.0}
    assert Options() == Options()
