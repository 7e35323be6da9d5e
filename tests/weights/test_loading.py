import pytest
import torch

from esrgan_weights import load, save
from esrgan_weights.cache import sha256_of
from esrgan_weights.errors import CheckpointError, UnknownModelError


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
