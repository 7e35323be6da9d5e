import io

import pytest
import torch

from esrgan_weights import load, save
from esrgan_weights.canonical import canonical_hash
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError


def equal(model, other) -> bool:
    ours, theirs = model.state_dict(), other.state_dict()
    return list(ours) == list(theirs) and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_state_dict(small_rrdb):
    model = load(small_rrdb.state_dict())
    assert equal(model, small_rrdb)
    assert model.provenance.name == "state dict"
    assert model.provenance.sha256 == canonical_hash(small_rrdb, "float32")


def test_state_dict_in_wrappers_beside_other_things(small_compact):
    content = {"epoch": 3, "params_ema": dict(small_compact.named_parameters()), "notes": object()}
    assert equal(load(content), small_compact)


def test_the_network_has_weights_of_its_own(small_rrdb):
    state = small_rrdb.state_dict()
    model = load(state)
    state["conv_first.bias"] += 1
    assert not torch.equal(model.conv_first.bias, state["conv_first.bias"])


def test_no_network(small_rrdb):
    with pytest.raises(CheckpointError, match=r"^state dict: "):
        load({"weight": torch.zeros(3)})
    with pytest.raises(CheckpointError, match=r"^state dict: "):
        load({})


@pytest.mark.parametrize(("name", "layout"), [("a.pth", "basicsr"), ("a.safetensors", "safetensors")])
def test_open_file(small_rrdb, tmp_path, name, layout):
    path = save(small_rrdb, tmp_path / name, layout)
    with path.open("rb") as stream:
        model = load(stream)
    assert equal(model, small_rrdb)
    assert model.provenance.name == name
    assert equal(load(io.BytesIO(path.read_bytes())), small_rrdb)


def test_open_file_that_is_something_else():
    torch.save({"weight": torch.zeros(3)}, stream := io.BytesIO())
    stream.seek(0)
    with pytest.raises(UnknownArchitectureError, match=r"^open file: "):
        load(stream)


@pytest.mark.parametrize("given", [io.StringIO("text"), 3])
def test_what_cannot_be_read(given):
    with pytest.raises(CheckpointError, match=r'open for reading bytes \("rb"\), not from (StringIO|int)'):
        load(given)
