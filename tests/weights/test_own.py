import os
import subprocess
import sys

import pytest
import torch

from esrgan_torch.errors import ConfigError, WeightsError
from esrgan_torch.storage import alone
from esrgan_weights import load, own, save
from esrgan_weights.cache import sha256_of
from esrgan_weights.errors import CheckpointError, UnknownModelError
from esrgan_weights.sources.resolve import known_scale


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ESRGAN_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "models"


@pytest.fixture
def file(small_rrdb, tmp_path):
    return save(small_rrdb, tmp_path / "file.pth", "old-arch")


def test_add_load_remove(file, small_rrdb, folder):
    path = own.add(file, "mine", licence="CC0-1.0", origin="my own training")
    assert path == folder / "mine.safetensors"
    model = load("mine")
    assert torch.equal(model.conv_first.weight, small_rrdb.conv_first.weight)
    assert (model.provenance.name, model.provenance.licence) == ("mine", "CC0-1.0")
    assert model.provenance.source == "my own training"
    [kept] = own.own_models()
    assert (kept.name, kept.scale, kept.facts["source_sha256"]) == ("mine", 4, sha256_of(file))
    assert known_scale("mine") == 4
    assert own.remove("mine") == path
    assert own.own_models() == []
    with pytest.raises(UnknownModelError):
        load("mine")


def test_a_name_that_another_process_takes_meanwhile_stays_its(file, folder, monkeypatch):
    from esrgan_weights.sources import resolve

    read = resolve.read_source

    def slowly(*given):
        found = read(*given)
        (folder / "mine.safetensors").write_bytes(b"of the other process")
        return found

    monkeypatch.setattr(resolve, "read_source", slowly)
    with pytest.raises(ConfigError, match="a model was added as 'mine' already"):
        own.add(file, "mine")
    assert (folder / "mine.safetensors").read_bytes() == b"of the other process"


def test_a_folder_that_another_process_holds_is_told(file, folder, monkeypatch):
    monkeypatch.setattr(alone, "PATIENCE", 0.1)
    folder.mkdir(parents=True)
    with alone.alone_in(folder), pytest.raises(WeightsError, match="another process is writing there"):
        own.add(file, "mine")
    assert own.own_models() == []


def test_what_the_file_states_is_kept(small_rrdb, tmp_path, file):
    own.add(file, "first", licence="MIT", origin="a place")
    own.add("first", "second")
    assert load("second").provenance.licence == "MIT"
    assert load("second").provenance.source == "a place"
    own.add(file, "third")
    assert load("third").provenance.licence is None
    assert load("third").provenance.source == "file.pth"


def test_address(file, server):
    server.content = file.read_bytes()
    own.add(f"{server.url}/good.pth", "mine")
    assert load("mine").provenance.source == f"{server.url}/good.pth"


@pytest.mark.parametrize("name", ["esrgan-x4", "ESRGAN-X4", "RealESRGAN_x4plus", "realesrgan_X4PLUS"])
def test_names_of_published_models_stay_theirs(file, name):
    with pytest.raises(ConfigError, match="is the name of a published model"):
        own.add(file, name)


@pytest.mark.parametrize(
    "name", ["", "a/b", "..", ".a", "-a", "a b", "mine.pth", "mine.SAFETENSORS", "x" * 101]
)
def test_names_that_cannot_be(file, name):
    with pytest.raises(ConfigError, match="cannot be a model's name"):
        own.add(file, name)


def test_name_that_is_taken(file):
    own.add(file, "mine")
    with pytest.raises(ConfigError, match=r"added as 'mine' already; .* esrgan weights remove mine"):
        own.add(file, "Mine")


def test_nothing_is_added_of_a_bad_file(tmp_path, folder):
    (tmp_path / "bad.pth").write_bytes(b"bad")
    with pytest.raises(CheckpointError):
        own.add(tmp_path / "bad.pth", "mine")
    assert not folder.exists() or list(folder.iterdir()) == []


def test_remove_what_is_not_there(file):
    with pytest.raises(UnknownModelError, match="none was added"):
        own.remove("mine")
    own.add(file, "mine")
    with pytest.raises(UnknownModelError, match="those that were added: mine"):
        own.remove("realesrgan-x4plus")


def test_damaged_file(file):
    own.add(file, "mine").write_bytes(b"damaged")
    own.add(file, "other")
    damaged, other = own.own_models()
    assert "mine.safetensors: it is a damaged safetensors file" in damaged.damage
    assert (other.name, other.damage) == ("other", None)
    with pytest.raises(CheckpointError, match=r"mine\.safetensors"):
        load("mine")
    own.remove("mine")


def test_folders(monkeypatch, tmp_path):
    monkeypatch.delenv("ESRGAN_DATA")
    monkeypatch.setenv("ESRGAN_CACHE", str(tmp_path / "cache"))
    assert own.own_folder() == tmp_path / "cache" / "own-models"
    monkeypatch.delenv("ESRGAN_CACHE")
    assert "esrgan-torch" in str(own.own_folder())


def test_platformdirs_is_not_needed_where_a_folder_is_named(tmp_path):
    """Machines that only compute may lack it."""
    program = (
        "import sys; sys.modules['platformdirs'] = None\n"
        "from esrgan_weights import cache_folder, own\n"
        "assert own.own_models() == []\n"
        "print(cache_folder())"
    )
    environment = {name: value for name, value in os.environ.items() if name != "ESRGAN_DATA"}
    environment["ESRGAN_CACHE"] = str(tmp_path)
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
