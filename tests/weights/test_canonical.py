import pytest
import torch

from esrgan_torch.errors import ConfigError
from esrgan_weights import canonical_hash, read_checkpoint, save


@pytest.mark.parametrize(
    ("name", "layout", "dtype"),
    [
        ("a.safetensors", None, "float32"),
        ("a.pth", "old-arch", "float32"),
        ("a.pth", "mmagic", "float16"),
        ("a.param", "ncnn-float16", "float16"),
    ],
)
def test_the_same_for_every_copy(small_rrdb, tmp_path, name, layout, dtype):
    checkpoint = read_checkpoint(save(small_rrdb, tmp_path / name, layout, dtype))
    assert canonical_hash(checkpoint) == canonical_hash(small_rrdb) == canonical_hash(checkpoint.build())
    same = canonical_hash(checkpoint, "float32") == canonical_hash(small_rrdb, "float32")
    assert same == (dtype == "float32")


def test_a_copy_in_bfloat16(small_rrdb, tmp_path):
    checkpoint = read_checkpoint(save(small_rrdb, tmp_path / "a.pth", dtype="bfloat16"))
    assert canonical_hash(checkpoint, "bfloat16") == canonical_hash(small_rrdb, "bfloat16")
    assert canonical_hash(checkpoint) != canonical_hash(small_rrdb)


def test_another_number_another_name_another_shape(small_rrdb):
    tensors = dict(small_rrdb.state_dict())
    hashes = {canonical_hash(tensors)}
    for name, tensor in (
        ("conv_last.bias", tensors["conv_last.bias"] + 0.01),
        ("conv_last.bias", tensors["conv_last.bias"].reshape(3, 1)),
        ("conv_extra.bias", tensors["conv_last.bias"]),
    ):
        hashes.add(canonical_hash({**tensors, name: tensor}))
    assert len(hashes) == 4


def test_order_and_the_sign_of_zero_do_not_count():
    one = {"a": torch.tensor([0.0, 1.0]), "b": torch.ones(2)}
    assert canonical_hash(one) == canonical_hash({"b": torch.ones(2), "a": torch.tensor([-0.0, 1.0])})


def test_the_value_is_kept():
    # it is stored in the registry: it may not change from version to version
    expected = "330b6d61b8d8dc48d5990967fe3adbd5cb3c62e72d189a569d979c7550581f6e"
    assert canonical_hash({"conv.weight": torch.arange(4.0).reshape(2, 2) / 3}) == expected


def test_unknown_precision(small_rrdb):
    with pytest.raises(ConfigError, match="float32, float16, bfloat16, not 'int8'"):
        canonical_hash(small_rrdb, "int8")
