"""The strength of denoising: a network mixed with its twin that keeps noise."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from esrgan_torch import Upscaler
from esrgan_torch.errors import ConfigError, WeightsError
from esrgan_torch.networks.compact import CompactNetConfig
from esrgan_weights import load, registry, save
from esrgan_weights.cache import sha256_of
from esrgan_weights.denoise import check_denoise
from esrgan_weights.errors import OfflineError
from esrgan_weights.registry import Alternative, File, Model

CONFIG = CompactNetConfig(8, 1)
STRONG, WEAK = "realesr-general-x4v3", "realesr-general-wdn-x4v3"


@pytest.fixture
def twins(make_network, tmp_path):
    """Two small networks, in files called as the published ones are."""
    networks = {name: make_network(CONFIG) for name in (STRONG, WEAK)}
    for name, network in networks.items():
        save(network, tmp_path / f"{name}.pth", "basicsr")
    return networks


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.5, 1.0])
def test_weights_lie_between_the_two(twins, tmp_path, strength, no_network):
    mixed = load(
        tmp_path / f"{STRONG}.pth", denoise=strength, offline=True, cache=tmp_path / "none"
    ).state_dict()
    strong, weak = (twins[name].state_dict() for name in (STRONG, WEAK))
    for name, tensor in mixed.items():
        wanted = strength * strong[name] + (1 - strength) * weak[name]
        torch.testing.assert_close(tensor, wanted, rtol=0, atol=1e-7)
    if strength in (0, 1):
        assert all(torch.equal(mixed[name], (strong if strength else weak)[name]) for name in mixed)


def test_an_end_needs_no_other_file(twins, tmp_path):
    (tmp_path / f"{WEAK}.pth").unlink()
    strong = load(tmp_path / f"{STRONG}.pth", denoise=1, offline=True, cache=tmp_path / "none")
    assert torch.equal(strong.body[0].weight, twins[STRONG].body[0].weight)
    with pytest.raises(OfflineError, match=f"{WEAK} is not in the cache"):
        load(tmp_path / f"{STRONG}.pth", denoise=0.9, offline=True, cache=tmp_path / "none")


def test_by_name_from_the_cache(twins, tmp_path, monkeypatch):
    def published(name: str, twin: str) -> Model:
        path = tmp_path / f"{name}.pth"
        (tmp_path / "cache" / name).mkdir(parents=True)
        path.rename(tmp_path / "cache" / name / path.name)
        path = tmp_path / "cache" / name / path.name
        file = File(path.name, path.stat().st_size, sha256_of(path), ("https://a.example/x",))
        found = replace(registry.find(name), alternatives=(Alternative("basicsr", (file,)),), canonical=None)
        assert found.twin == twin
        return found

    models = {STRONG: published(STRONG, WEAK), WEAK: published(WEAK, "")}
    monkeypatch.setattr(registry, "models", lambda: models)
    mixed = load(STRONG, denoise=0.75, offline=True, cache=tmp_path / "cache")
    wanted = 0.75 * twins[STRONG].body[0].weight + 0.25 * twins[WEAK].body[0].weight
    torch.testing.assert_close(mixed.body[0].weight, wanted)
    assert mixed.provenance.name == f"0.25 * {WEAK} + 0.75 * {STRONG}"
    assert mixed.provenance.licence == "BSD-3-Clause"


def test_twins_are_published_models_of_the_same_sizes():
    twins = {model: registry.find(model.twin) for model in registry.models().values() if model.twin}
    assert {model.name for model in twins} == {STRONG}
    for model, twin in twins.items():
        assert (model.architecture, model.scale, model.parameters, model.licence) == (
            twin.architecture, twin.scale, twin.parameters, twin.licence
        )  # fmt: skip
        assert not twin.twin


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("realesrgan-x4plus", rf"realesrgan-x4plus has none; networks that have one: {STRONG}, by name or"),
        ("RealESRGAN_x4plus", "realesrgan-x4plus has none"),
        (Path("folder") / "mine.pth", r"mine\.pth has none"),
        ("https://a.example/mine.pth?key=secret", r"mine\.pth has none"),
        (WEAK, f"{WEAK} is the end that keeps noise; give {STRONG}"),
        ({}, "has no name"),
    ],
)
def test_a_network_without_a_twin(source, words, no_network):
    for strength in (0.0, 0.5, 1.0):
        with pytest.raises(ConfigError, match=words):
            load(source, denoise=strength)


@pytest.mark.parametrize("strength", [-0.1, 1.01, float("nan"), float("inf")])
def test_a_strength_that_cannot_be(strength):
    with pytest.raises(ConfigError, match="denoise must be from 0"):
        check_denoise(STRONG, strength)


def test_a_twin_of_other_sizes(twins, make_network, tmp_path):
    save(make_network(CompactNetConfig(8, 2)), tmp_path / f"{WEAK}.pth", "basicsr")
    with pytest.raises(WeightsError, match="same sizes"):
        load(tmp_path / f"{STRONG}.pth", denoise=0.5)


def test_an_upscaler_takes_it_along(twins, tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (6, 7, 3), np.uint8)
    file = tmp_path / f"{STRONG}.pth"
    upscaler = Upscaler(file, "cpu", "float32", engine="eager", denoise=0.5)
    result = upscaler(picture)
    assert (result != Upscaler(file, "cpu", "float32", engine="eager")(picture)).any()
    mixed = Upscaler(load(file, denoise=0.5), "cpu", "float32", engine="eager")
    assert (result == mixed(picture)).all()
    assert (pickle.loads(pickle.dumps(upscaler))(picture) == result).all()
    assert (pickle.loads(pickle.dumps(mixed))(picture) == result).all()
    with pytest.raises(ConfigError, match=r"this network has its weights already.*denoise=0\.5"):
        Upscaler(twins[STRONG], "cpu", denoise=0.5)
