"""One small network as people save it: every file loads and gives the same picture, or is refused by name.

The kinds are those of public reports; docs/compatibility.md has the list.
"""

import os
import pickle
import sys
import types

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from esrgan_torch.networks.rrdb import RRDBNetConfig
from esrgan_weights import load, save
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError, UnsafeCheckpointError


class Evil:
    def __reduce__(self):
        return os.system, ("echo this must never be run",)


def under(prefix, state):
    return {prefix + name: value for name, value in state.items()}


# name of the file -> what torch.save is given
PICKLES = {
    "plain.pth": lambda state: state,
    "single-key.pth": lambda state: {"net_g": state},
    "generator-beside-others.pth": lambda state: {
        "G": state,
        "D": {"conv.weight": torch.zeros(1, 3, 3, 3)},
        "epoch": 3,
    },
    "lightning.ckpt": lambda state: {
        "state_dict": under("model.", state),
        "pytorch-lightning_version": "2.4.0",
    },
    "averaged.pth": lambda state: {"n_averaged": torch.tensor(7), **under("module.", state)},
    "empty-ema.pth": lambda state: {"params": state, "params_ema": {}},
    "numpy-scalar.pth": lambda state: {"params": state, "best_psnr": np.float64(31.5)},
    "pytorch_model.bin": lambda state: state,
}


# kinds of public reports, by their addresses in docs/compatibility.md
def test_a_lightning_checkpoint_with_its_callbacks(small_rrdb, expected, tmp_path, monkeypatch):
    module = types.ModuleType("pytorch_lightning.callbacks.model_checkpoint")
    callback = type("ModelCheckpoint", (), {"__module__": module.__name__})
    module.ModelCheckpoint = callback
    packages = ["pytorch_lightning", "pytorch_lightning.callbacks"]
    for name in packages:
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    content = {
        "callbacks": {callback: {"best": callback()}},
        "state_dict": under("model.", small_rrdb.state_dict()),
    }
    torch.save(content, tmp_path / "a.ckpt")
    for name in [*packages, module.__name__]:
        monkeypatch.delitem(sys.modules, name)
    assert torch.equal(load(tmp_path / "a.ckpt")(picture()), expected)
    assert module.__name__ not in sys.modules


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 67040989\n", "a Git LFS pointer"),
        (b"<!doctype html><html><head><title>4x_NMKD-Siax_200k.pth</title>", "a web page"),
    ],
)
def test_what_a_download_left(tmp_path, content, message):
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        load(tmp_path / "a.pth")


def test_old_arch_of_scale_2(make_network, tmp_path):
    network = make_network(RRDBNetConfig(8, 1, 4, scale=2))
    path = save(network, tmp_path / "2xESRGAN.pth", "old-arch")
    assert torch.equal(load(path)(picture()), network(picture()))


def test_dense_blocks_with_1x1_convolutions(small_rrdb, tmp_path):
    state = {name.replace(".rdb", ".srdb"): value for name, value in small_rrdb.state_dict().items()}
    state["body.0.srdb1.conv1x1.weight"] = torch.zeros(4, 8, 1, 1)
    torch.save({"params_ema": state}, tmp_path / "a.pth")
    with pytest.raises(UnknownArchitectureError, match=r"dense blocks have extra 1x1 convolutions \(srdb\)"):
        load(tmp_path / "a.pth")


@pytest.fixture
def expected(small_rrdb):
    return small_rrdb(picture())


def picture():
    return torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", PICKLES)
def test_pickles(small_rrdb, expected, tmp_path, name):
    torch.save(PICKLES[name](small_rrdb.state_dict()), tmp_path / name)
    assert torch.equal(load(tmp_path / name)(picture()), expected)


def test_protocol_4(small_rrdb, expected, tmp_path):
    torch.save(small_rrdb.state_dict(), tmp_path / "a.pth", pickle_protocol=4)
    assert torch.equal(load(tmp_path / "a.pth")(picture()), expected)


def test_prefixed_safetensors(small_rrdb, expected, tmp_path):
    save_file(under("params_ema.", small_rrdb.state_dict()), tmp_path / "a.safetensors")
    assert torch.equal(load(tmp_path / "a.safetensors")(picture()), expected)


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_float8(small_rrdb, tmp_path, suffix):
    small = {
        name: value.to(torch.float8_e4m3fn) if value.ndim == 4 else value
        for name, value in small_rrdb.state_dict().items()
    }
    path = tmp_path / f"a.{suffix}"
    (save_file if suffix == "safetensors" else torch.save)(small, path)
    small_rrdb.load_state_dict({name: value.float() for name, value in small.items()})
    assert torch.equal(load(path)(picture()), small_rrdb(picture()))


def test_onnx(tmp_path):
    (tmp_path / "network.onnx").write_bytes(b"\x08\x08\x12\x07pytorch")
    with pytest.raises(CheckpointError, match="an ONNX file"):
        load(tmp_path / "network.onnx")


def test_evil(tmp_path, capfd):
    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"params": Evil()}))
    with pytest.raises(UnsafeCheckpointError, match=r"asks for `\w+\.system`.* nothing was run"):
        load(tmp_path / "evil.pth")
    assert "never" not in capfd.readouterr().out
