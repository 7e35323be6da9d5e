import pytest
import torch

from esrgan_weights import load, save
from esrgan_weights.cache import sha256_of
from esrgan_weights.errors import CheckpointError, OfflineError, UnknownModelError
from esrgan_weights.sources.resolve import known_scale


def test_file(small_rrdb, tmp_path):
    path = save(small_rrdb, tmp_path / "mine.pth", "basicsr")
    for given in (path, str(path)):
        model = load(given)
        assert model.provenance is not None
        assert model.provenance.name == "mine.pth"
        assert model.provenance.layout == "basicsr"
        assert model.provenance.sha256 == sha256_of(path)
        assert model.provenance.licence is None
        assert not model.training
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
        assert not any(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("given", ["none.pth", "folder/none", "NONE.SAFETENSORS", "a.param"])
def test_missing_file(given):
    with pytest.raises(CheckpointError, match="there is no such file"):
        load(given)


def test_missing_file_with_the_name_of_a_published_one():
    with pytest.raises(
        CheckpointError, match="no such file; the published model is called realesrgan-x4plus"
    ):
        load("RealESRGAN_x4plus.pth")


def test_stem_of_a_published_file(tmp_path):
    with pytest.raises(OfflineError, match="realesrgan-x4plus is not in the cache"):
        load("RealESRGAN_x4plus", offline=True, cache=tmp_path)


def test_a_file_goes_before_the_stem_of_a_published_one(small_rrdb, tmp_path, monkeypatch):
    save(small_rrdb, tmp_path / "a.pth", "basicsr").rename(tmp_path / "RealESRGAN_x4plus")
    monkeypatch.chdir(tmp_path)
    assert load("RealESRGAN_x4plus", offline=True).config == small_rrdb.config


def test_address(small_rrdb, server, tmp_path):
    server.content = save(small_rrdb, tmp_path / "a.pth", "basicsr").read_bytes()
    model = load(f"{server.url}/good.pth?key=secret", cache=tmp_path)
    assert model.config == small_rrdb.config
    assert model.provenance.source == f"{server.url}/good.pth"
    assert model.provenance.name.startswith("good-")


def test_known_scale(tmp_path, monkeypatch):
    assert known_scale("realesrgan-x2plus") == 2
    assert known_scale("RealESRGAN_x2plus") == 2
    assert known_scale("mine.pth") is None
    assert known_scale("https://a.example/x.pth") is None


def test_unknown_name():
    with pytest.raises(UnknownModelError, match="nearest names: realesrgan-x4plus"):
        load("realesrgan-x4")


def test_a_file_without_a_suffix(small_rrdb, tmp_path, monkeypatch):
    save(small_rrdb, tmp_path / "a.pth", "basicsr").rename(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    assert load("mine").provenance is not None


def test_loading_draws_no_random_numbers(small_rrdb, tmp_path):
    path = save(small_rrdb, tmp_path / "a.safetensors")
    before = torch.get_rng_state()
    load(path)
    assert torch.equal(torch.get_rng_state(), before)
