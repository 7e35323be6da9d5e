"""One small network as people save it: every file loads and gives the same picture, or is refused by name.

The kinds are those of public reports; docs/compatibility.md has the list.
"""

import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from esrgan_weights import load
from esrgan_weights.errors import CheckpointError, UnsafeCheckpointError


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
