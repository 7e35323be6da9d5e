"""Weights that come with the project: there without any network, whole, and said to be what they are."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from esrgan_benchmarks.studies.bundle_weights import bundle
from esrgan_torch import CompactNet, Upscaler
from esrgan_torch.images.files import read_image
from esrgan_torch.images.resample import imresize
from esrgan_torch.metrics.colour_blocks import colour_blocks
from esrgan_torch.metrics.periodic import pattern_of
from esrgan_torch.networks.reparameterised import deployed
from esrgan_torch.train.assemble import assemble
from esrgan_torch.train.options import Options
from esrgan_torch.train.recipe import as_toml, read_recipe
from esrgan_torch.train.state import store
from esrgan_weights import cache, load
from esrgan_weights.cache import BUNDLED, sha256_of
from esrgan_weights.errors import CheckpointError, FetchError
from esrgan_weights.formats.read import read_checkpoint
from esrgan_weights.formats.write import save
from esrgan_weights.registry import find, models
from esrgan_weights.sources.fetching import fetch

NAMES = [name for name, model in models().items() if model.bundled]


@pytest.mark.parametrize("name", NAMES)
def test_no_network_is_needed(name: str, no_network: None, tmp_path: Path) -> None:
    network = load(name, cache=tmp_path, offline=True)
    assert network.scale == find(name).scale
    assert network.provenance is not None
    assert network.provenance.name == name
    assert fetch(name, cache=tmp_path).parent == BUNDLED
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_grid_is_left(name: str) -> None:
    photo = read_image(Path(__file__).parents[2] / "examples" / "cat.jpg").pixels[:96, :96]
    network = load(name)
    found = pattern_of(Upscaler(network, "cpu")(photo), network.scale)
    assert not found.found, found


IN_BLOCKS = pytest.mark.xfail(strict=True, reason="its colour is in blocks, see its card")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=IN_BLOCKS if name.endswith("-gan") else ()) for name in NAMES]
)
def test_colour_is_not_left_in_blocks(name: str) -> None:
    """Of colours that have nothing to do with luma. Weights that had blocks: 6 to 14, official ones: 1."""
    colours = np.random.default_rng(0).uniform(40, 215, (12, 12, 3))
    picture = imresize(colours, 48, 48).clip(0, 255).round().astype(np.uint8)
    network = load(name)
    assert colour_blocks(Upscaler(network, "cpu")(picture), network.scale) < 3


def test_the_folder_holds_what_the_registry_says() -> None:
    assert {path.name for path in BUNDLED.iterdir()} == {
        file.name for name in NAMES for file in find(name).alternatives[0].files
    }


@pytest.mark.parametrize("name", NAMES)
def test_metadata_says_how_it_was_made(name: str, tmp_path: Path) -> None:
    path = BUNDLED / find(name).alternatives[0].files[0].name
    with safe_open(path, framework="pt") as archive:
        metadata = archive.metadata()
        assert {str(archive.get_tensor(key).dtype) for key in archive.keys()} == {"torch.float16"}  # noqa: SIM118
    assert metadata["licence"] == find(name).licence
    assert int(metadata["steps"]) > 0
    assert "Set5" in metadata["metrics"]
    assert "CID22" in metadata["data"]
    (tmp_path / "recipe.toml").write_text(metadata["recipe"])
    read_recipe(tmp_path / "recipe.toml")


def test_a_damaged_installation_is_told(
    monkeypatch: pytest.MonkeyPatch, no_network: None, tmp_path: Path
) -> None:
    monkeypatch.setattr(cache, "BUNDLED", tmp_path)
    with pytest.raises(FetchError, match="it is missing; install esrgan-torch again"):
        load(NAMES[0])
    (tmp_path / f"{NAMES[0]}.safetensors").write_bytes(b"damaged")
    with pytest.raises(FetchError, match="it is damaged; install esrgan-torch again"):
        load(NAMES[0], offline=True)


SPAN_SETTINGS = ("network.kind=SPAN", "network.init=enlargement", "network.scale=2", "data.patch=32")


@pytest.mark.parametrize("settings", [("network.convolutions=1",), SPAN_SETTINGS], ids=["Compact", "SPAN"])
def test_a_run_is_bundled(settings: tuple[str, ...], tmp_path: Path) -> None:
    options: Options = read_recipe("smoke", ("network.features=4", "steps=7", *settings))
    parts = assemble(options, None)
    store(tmp_path / "run", 7, parts.state(), 1)
    (tmp_path / "run" / "recipe.toml").write_text(as_toml(options))
    path = bundle(tmp_path / "run", "tiny", "CC0-1.0", "noise", ["Set5=1 dB", "Set14=2 dB"], tmp_path / "out")
    checkpoint = read_checkpoint(path)
    assert checkpoint.stored == ("float16",)
    assert checkpoint.provenance.licence == "CC0-1.0"
    # what runs, not what was trained
    for name, value in deployed(parts.average.network).state_dict().items():
        assert torch.equal(checkpoint.tensors[name], value.half().float())
    with safe_open(path, framework="pt") as archive:
        metadata = archive.metadata()
    assert metadata["metrics"] == "Set5=1 dB; Set14=2 dB"
    assert (metadata["steps"], metadata["recipe"]) == ("7", as_toml(options))
    assert json.loads(metadata["features"]) == 4
    assert metadata["source_sha256"] == sha256_of(tmp_path / "run" / "recipe.toml")


def test_weights_too_large_for_float16(tmp_path: Path) -> None:
    network = CompactNet(4, 1).requires_grad_(False)
    network.body[0].get_parameter("weight").fill_(1e6)
    with pytest.raises(CheckpointError, match="numbers that float16 cannot hold"):
        save(network, tmp_path / "large.safetensors", dtype="float16")
    assert list(tmp_path.iterdir()) == []
