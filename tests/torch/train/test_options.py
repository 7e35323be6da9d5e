"""Values that cannot be and options that contradict: refused when they are read."""

import re
from pathlib import Path

import pytest

from esrgan_torch.errors import ConfigError
from esrgan_torch.train.recipe import as_toml, read_recipe

SECOND = "data.degradation=second-order"
SMALL = ('data.folders=["a"]', 'data.small_folders=["b"]')
JUDGED = "losses.adversarial=0.1"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ((SECOND, *SMALL), "makes others in their place; leave out one of them"),
        (("data.small_names={}x4",), "names the pictures of data.small_folders, and there are none"),
        ((*SMALL, "data.small_names=x4"), 'holds {} once, for the original\'s name, such as "{}x4"'),
        (("optimiser.milestones=[5]",), "milestones belong to optimiser.schedule = 'steps'"),
        (
            ("optimiser.schedule=steps", "optimiser.period=5"),
            "period belongs to optimiser.schedule = 'cosine'",
        ),
        (("optimiser.schedule=steps", "optimiser.milestones=[9,5]"), "are steps from 1 on, in their order"),
        (("optimiser.floor=1",), "is where the rate falls to, and optimiser.rate = 0.002 is below it"),
        ((JUDGED,), "judges crops of 128 or 256 pixels, and data.patch is 64"),
        (
            (JUDGED, "discriminator.kind=UNetDiscriminator", "data.patch=4"),
            "judges crops of 8 pixels and more",
        ),
        (("losses.sharpen_targets=true", "data.patch=24"), "needs crops of more than 25 pixels"),
        (
            ("losses.perceptual=1", "data.patch=8"),
            "VGG19 halves crops 4 times before losses.layers = conv5_4",
        ),
        (("losses.matching=0.1",), "losses.matching compares features of the discriminator, which learns by"),
        (
            ("losses.matching=-1", JUDGED),
            "losses.pixel, luma, perceptual, adversarial, matching, grid and sharpness are weights",
        ),
        (("losses.grid=1", "network.scale=1"), "has the period of network.scale, which is 1: set it to 0"),
        (("losses.grid=1", "data.patch=28"), "along 8 periods of the scale, 32 pixels, and data.patch is 28"),
        (
            (JUDGED, "discriminator.crop=128"),
            "discriminator.crop = 128 is a part of a crop, and data.patch is 64",
        ),
        ((JUDGED, "data.patch=192", "discriminator.crop=96"), "256 pixels, and discriminator.crop is 96"),
        (
            (JUDGED, "discriminator.kind=UNetDiscriminator", "discriminator.crop=4"),
            "judges crops of 8 pixels and more, not 4",
        ),
        (("losses.layers={conv9_9=1}",), "losses.layers are of VGG19: conv1_1"),
        (
            ("losses.layers={conv5_4=-1}", "losses.perceptual=1", "data.patch=64"),
            "losses.layers have weights of 0 or more, and one is more than 0; given conv5_4 = -1",
        ),
        (("losses.layers={conv1_1=0}", "losses.perceptual=1"), "given conv1_1 = 0"),
        (("data.batch=0",), "data.batch is at least 1, not 0"),
        (("data.workers=-1",), "data.workers is at least 0, not -1"),
        (("data.patch=0",), "data.patch is at least 1, not 0"),
        (("data.noisy=0.5",), "data.noisy is a share of the crops of data.degradation = 'second-order'"),
        ((SECOND, "data.noisy=1.5"), "data.noisy is at most 1, not 1.5"),
        (("data.cache_limit=0",), "data.cache_limit is in GB and above 0"),
        (("optimiser.rate=-1e-4",), "optimiser.rate is at least 0, not -0.0001"),
        (("optimiser.rate=0",), "optimiser.rate is above 0"),
        (("optimiser.rate=nan",), "optimiser.rate is a number, such as optimiser.rate=1e-4; not nan"),
        (("optimiser.betas=[0.9,1.0]",), "optimiser.betas are at least 0 and below 1"),
        (("optimiser.weight_decay=0.1",), "optimiser.weight_decay belongs to optimiser.kind = 'AdamW'"),
        (("optimiser.clip=-1",), "optimiser.clip is at least 0"),
        (("ema=1.5",), "ema is at least 0 and below 1, not 1.5"),
        (("seed=-1",), "seed is at least 0, not -1"),
        (("steps=1e30",), "steps is at most 1,000,000,000,000"),
        (("steps=" + "9" * 5000,), "steps is a whole number, such as steps=16"),
        (("network.scale=0",), "network.scale is at least 1, not 0"),
        (("network.scale=5",), "CompactNet can have scale 1, 2, 3, 4, 8, 16, not 5"),
        (("network.features=0",), "network.features is at least 1"),
        (("network.convolutions=1000000000",), "network.convolutions is at most 1,000, not 1,000,000,000"),
        (("tensorboard=yes",), "tensorboard is true or false, such as tensorboard=true; not 'yes'"),
        (("tracker=wandbx",), 'tracker is one of "", wandb, such as tracker=wandb'),
        (("data.batch=2.5",), "data.batch is a whole number, such as data.batch=16; not 2.5"),
        (
            ("data.folders=[a,b]",),
            "data.folders is a list, such as 'data.folders=[\"a\",\"b\"]'; not '[a,b]'",
        ),
        (("network.initial=\udcff",), "network.initial is a text in UTF-8"),
    ],
)
def test_refused(settings: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        read_recipe("smoke", settings)


def test_forms_that_people_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    options = read_recipe(
        "smoke",
        ("steps=1e3", "data.folders=~/DIV2K", "data.validation=2024", "losses.vgg=~/vgg.pth", "ema=0"),
    )
    assert options.steps == 1000
    assert options.data.folders == ("/home/me/DIV2K",)
    assert options.data.validation == ("2024",)
    assert options.losses.vgg == "/home/me/vgg.pth"
    assert type(options.ema) is float


def test_recipes_that_are_no_recipes(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    for content in (b"\xff\xfe", b"steps = " + b"9" * 5000, b"a = " + b"[" * 5000, b"[network]\nscale = 0"):
        path.write_bytes(content)
        with pytest.raises(ConfigError):
            read_recipe(path)


def test_odd_names_survive_a_recipe(tmp_path: Path) -> None:
    options = read_recipe("smoke", ('data.folders=["a\\"b\\\\c", "ä 猫\\u007f"]',))
    (tmp_path / "again.toml").write_text(as_toml(options), encoding="utf-8")
    assert read_recipe(tmp_path / "again.toml") == options
