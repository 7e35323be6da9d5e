import pytest
import torch

from esrgan_weights import read_checkpoint
from esrgan_weights.errors import CheckpointError
from esrgan_weights.unwrap import unwrap

ONE, TWO = {"a": torch.zeros(1)}, {"a": torch.ones(1)}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"params": ONE, "params_ema": TWO}, "params_ema"),
        ({"params": ONE, "params-ema": TWO}, "params-ema"),
        ({"state_dict": ONE, "ema_state_dict": TWO, "epoch": 3}, "ema_state_dict"),
        ({"model_state_dict": TWO, "optimizer": {"lr": 1.0}}, "model_state_dict"),
        ({"model": {"state_dict": TWO}}, "model state_dict"),
        ({"net": TWO}, "net"),
        ({"generator": TWO}, "generator"),
        (TWO, ""),
    ],
)
def test_wrappers(content, expected):
    tensors, wrapper = unwrap(content)
    assert wrapper == expected
    assert torch.equal(tensors["a"], TWO["a"])


@pytest.mark.parametrize(
    "names",
    [
        {"module.a": 1},
        {"_orig_mod.a": 1},
        {"netG.module.a": 1},
        {"generator.a": 0, "generator_ema.a": 1, "discriminator.a": 0, "step_counter": 0},
        {"netG.a": 1, "netD.a": 0},
    ],
)
def test_prefixes(names):
    tensors, _ = unwrap({name: torch.full((1,), float(value)) for name, value in names.items()})
    assert list(tensors) == ["a"]
    assert tensors["a"] == 1


def test_half_a_prefix_is_none():
    tensors, _ = unwrap({"module.a": ONE["a"], "b": ONE["a"]})
    assert list(tensors) == ["module.a", "b"]


def test_what_is_there_is_named():
    with pytest.raises(CheckpointError, match=r"no tensors \(but: epoch, lr\)"):
        unwrap({"epoch": 1, "lr": 2})


@pytest.mark.parametrize("prefix", ["module.", "netG.", "netG.module."])
def test_a_whole_file_with_a_prefix(small_rrdb, tmp_path, prefix):
    path = tmp_path / "a.pth"
    torch.save({"params": {prefix + name: tensor for name, tensor in small_rrdb.state_dict().items()}}, path)
    assert read_checkpoint(path).config == small_rrdb.config
