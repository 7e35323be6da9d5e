from itertools import pairwise

import pytest

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.compact import CompactNetConfig
from esrgan_torch.networks.rrdb import RRDBNetConfig
from esrgan_weights.checkpoint import empty_network
from esrgan_weights.errors import UnknownModelError
from esrgan_weights.recognition.layouts import LAYOUTS
from esrgan_weights.registry import (
    Alternative,
    File,
    KnownFile,
    Model,
    Package,
    aliases,
    find,
    known_files,
    models,
)
from esrgan_weights.sources.addresses import url_of

NAMES = (
    "esrgan-x4",
    "esrgan-psnr-x4",
    "realesrgan-x4plus",
    "realesrgan-x2plus",
    "realesrnet-x4plus",
    "realesrgan-x4plus-anime",
    "realesr-general-x4v3",
    "realesr-general-wdn-x4v3",
    "realesr-animevideov3",
    "bsrgan-x4",
    "realsr-df2k-x4",
    "esrgan-lite-x4",
    "esrgan-lite-x2",
    "esrgan-lite-x4-gan",
)
CONFIGS = {
    "realesrgan-x2plus": RRDBNetConfig(scale=2, unshuffle=2),
    "realesrgan-x4plus-anime": RRDBNetConfig(blocks=6),
    "realesr-general-x4v3": CompactNetConfig(convolutions=32),
    "realesr-general-wdn-x4v3": CompactNetConfig(convolutions=32),
    "realesr-animevideov3": CompactNetConfig(),
    "esrgan-lite-x4": CompactNetConfig(48, 16),
    "esrgan-lite-x2": CompactNetConfig(48, 19, scale=2),
    "esrgan-lite-x4-gan": CompactNetConfig(48, 16),
}


def test_names():
    assert tuple(models()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_facts_agree_with_the_network_and_with_each_other(name):
    model = find(name)
    config = CONFIGS.get(name, RRDBNetConfig())
    network = empty_network(config)
    assert sum(parameter.numel() for parameter in network.parameters()) == model.parameters
    assert type(network).__name__ == model.architecture
    assert config.scale == model.scale
    for alternative in model.alternatives:
        assert alternative.layout in (*LAYOUTS, "ncnn")
        width = 2 if alternative.layout == "ncnn" or alternative.bundled else 4  # bytes a parameter
        if alternative.weights.size is not None:
            assert 1 <= alternative.weights.size / (width * model.parameters) < 1.02
        for file in alternative.files:
            assert all(url_of(url).startswith("https://") for url in file.urls)


def test_no_file_twice():
    files = [file for model in models().values() for item in model.alternatives for file in item.files]
    hashes = [file.sha256 for file in files] + [known.sha256 for known in known_files()]
    assert all(not second.startswith(first) for first, second in pairwise(sorted(hashes)))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("realesrgan-x4-plus", "realesrgan-x4plus"),
        ("realESRGAN_x4plus", "realesrgan-x4plus"),
        ("RRDB_PSNR_x4.pth", "esrgan-psnr-x4"),
        ("realesrgan_x4plus_anime_6b", "realesrgan-x4plus-anime"),
        ("bsrgan", "bsrgan-x4"),
    ],
)
def test_unknown_name_gives_the_nearest_first(given, expected):
    with pytest.raises(
        UnknownModelError, match=f"no published model is called '{given}'; nearest names: {expected}"
    ):
        find(given)


def test_the_stem_of_a_published_file_is_a_name():
    for stem, name in {
        "RealESRGAN_x4plus": "realesrgan-x4plus",
        "RRDB_ESRGAN_x4": "esrgan-x4",
        "RealESRGAN_x4plus_anime_6B": "realesrgan-x4plus-anime",
        "BSRGAN": "bsrgan-x4",
        "realesrgan-x4fast": "realesr-general-x4v3",
        "REALSR_DF2K_UP4X": "realsr-df2k-x4",
    }.items():
        assert aliases()[stem] == name
        assert find(stem) == models()[name]
    assert not set(aliases()) & set(models())


def test_hopeless_name_gives_all():
    with pytest.raises(UnknownModelError, match="published models: esrgan-x4, esrgan-psnr-x4, "):
        find("qqqqqqqqqqqqqqqqqqqq")


@pytest.mark.parametrize(
    "make",
    [
        lambda: File("a", 1, "xyz"),
        lambda: File("a", 1, "AB" * 32),
        lambda: File("a", 0, "ab" * 32),
        lambda: File("../a", 1, "ab" * 32),
        lambda: Alternative("ncnn", ()),
        lambda: Alternative("ncnn", (File("a", 1, "ab" * 32),)),
        lambda: Package("a==1", "a.whl", 1, "ab" * 32, "a", "cargo"),
        lambda: Package("a==1", "a.whl", 1, "AB" * 32, "a"),
        lambda: KnownFile("ab", "short", "community"),
        lambda: KnownFile("ab" * 32, "?", "strange"),
        lambda: Model("a", "", "MIT", "", "RRDBNet", 4, 1, ()),
    ],
)
def test_entries_are_checked(make):
    with pytest.raises(ConfigError):
        make()
