"""The round trip: random networks over a grid of sizes, in every layout, must load back equal."""

from itertools import cycle, product
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save as serialise

from esrgan_torch.errors import ConfigError, WeightsError
from esrgan_torch.networks.base import Generator, Provenance
from esrgan_torch.networks.compact import CompactNet, CompactNetConfig
from esrgan_torch.networks.rrdb import RRDBNet, RRDBNetConfig
from esrgan_weights import load, read_checkpoint, save
from esrgan_weights.errors import CheckpointError
from esrgan_weights.recognition.layouts import NCNN, WRITABLE

# every scale with every unshuffle and channel count, the other sizes in turn
RRDB_SIZES = cycle(product((8, 12), (1, 2), (4, 8)))
RRDB_GRID = [
    RRDBNetConfig(features, blocks, growth, scale, channels, channels, unshuffle)
    for (scale, unshuffle, channels), (features, blocks, growth) in zip(
        product((1, 2, 4, 8, 16), (1, 2, 4), (1, 3, 4)), RRDB_SIZES, strict=False
    )
]
COMPACT_GRID = [
    CompactNetConfig(features, convolutions, scale, channels, channels)
    for features, convolutions, scale, channels in product((8, 12), (1, 3), (1, 2, 3, 4, 8), (1, 3))
]
COMPACT_LAYOUTS = ("safetensors", "basicsr", "neosr", "mmagic", *NCNN)


def suffix(layout: str) -> str:
    return {"safetensors": ".safetensors", "ncnn": ".param", "ncnn-float16": ".param"}.get(layout, ".pth")


def rounded(name: str, tensor: torch.Tensor, layout: str) -> torch.Tensor:
    """What the layout can keep of a tensor."""
    return tensor.half().float() if layout == "ncnn-float16" and tensor.ndim == 4 else tensor


def assert_round_trip(network: Generator, folder: Path, layout: str) -> None:
    path = save(network, folder / f"network{suffix(layout)}", layout)
    again = load(path)
    assert isinstance(network, RRDBNet | CompactNet)
    assert isinstance(again, type(network))
    assert again.config == network.config
    for name, tensor in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], rounded(name, tensor, layout)), name
    assert not again.training
    assert not any(parameter.requires_grad for parameter in again.parameters())


@pytest.mark.parametrize("layout", WRITABLE)
def test_rrdb_round_trip(make_network, tmp_path, layout):
    for config in RRDB_GRID:
        assert_round_trip(make_network(config), tmp_path, layout)


@pytest.mark.parametrize("layout", COMPACT_LAYOUTS)
def test_compact_round_trip(make_network, tmp_path, layout):
    for config in COMPACT_GRID:
        assert_round_trip(make_network(config), tmp_path, layout)


@pytest.mark.parametrize("layout", WRITABLE)
def test_layout_is_recognised(small_rrdb, tmp_path, layout):
    checkpoint = read_checkpoint(save(small_rrdb, tmp_path / f"a{suffix(layout)}", layout))
    named = {"safetensors": "basicsr", "ncnn-float16": "ncnn"}.get(layout, layout)
    assert checkpoint.provenance.layout == named


def test_any_layout_to_any_other(small_rrdb, tmp_path):
    path = save(small_rrdb, tmp_path / "first.safetensors")
    for number, layout in enumerate(
        ("ncnn", "old-arch", "lornatang", "new-arch", "mmagic", "neosr", "basicsr")
    ):
        path = save(read_checkpoint(path), tmp_path / f"{number}{suffix(layout)}", layout)
    again = load(path).state_dict()
    assert all(torch.equal(again[name], tensor) for name, tensor in small_rrdb.state_dict().items())


def test_safetensors_metadata(small_rrdb, tmp_path):
    small_rrdb.provenance = Provenance("tiny", "basicsr", "ab" * 32, licence="MIT", source="somewhere")
    path = save(small_rrdb, tmp_path / "a.safetensors")
    with safe_open(path, framework="pt") as archive:
        metadata = archive.metadata()
    assert metadata["architecture"] == "RRDBNet"
    assert metadata["blocks"] == "2"
    assert metadata["source_sha256"] == "ab" * 32
    provenance = read_checkpoint(path).provenance
    assert (provenance.licence, provenance.source) == ("MIT", "somewhere")


def test_no_names_for_a_compact_network(small_compact, tmp_path):
    with pytest.raises(CheckpointError, match=r"old-arch has no names for Compact \(SRVGGNetCompact\)"):
        save(small_compact, tmp_path / "a.pth", "old-arch")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("layout", "name"), [("safetensors", "a.pth"), ("ncnn", "a.bin"), ("basicsr", "a.param")]
)
def test_suffix_of_another_layout(small_rrdb, tmp_path, layout, name):
    with pytest.raises(ConfigError, match="ends with"):
        save(small_rrdb, tmp_path / name, layout)


def test_unknown_layout(small_rrdb, tmp_path):
    with pytest.raises(ConfigError, match="unknown layout 'gguf'; there are safetensors, basicsr"):
        save(small_rrdb, tmp_path / "a.pth", "gguf")


def test_missing_folder(small_rrdb, tmp_path):
    with pytest.raises(WeightsError, match="cannot be written"):
        save(small_rrdb, tmp_path / "none" / "a.safetensors")


# the first convolution has four or sixteen times the channels of the last, as if the picture were folded
LIKE_UNSHUFFLED = [
    RRDBNetConfig(8, 1, 4, scale=4, in_channels=4, out_channels=1),
    RRDBNetConfig(8, 1, 4, scale=2, in_channels=12, out_channels=3),
    RRDBNetConfig(8, 1, 4, scale=4, in_channels=16, out_channels=1),
    RRDBNetConfig(8, 1, 4, scale=2, in_channels=4, out_channels=4, unshuffle=2),
]


@pytest.mark.parametrize("layout", WRITABLE)
def test_what_shapes_leave_open_is_stated_in_the_file(make_network, tmp_path, layout):
    for config in LIKE_UNSHUFFLED:
        assert_round_trip(make_network(config), tmp_path, layout)


def test_other_programs_do_not_see_what_is_stated(small_rrdb, tmp_path):
    state = torch.load(save(small_rrdb, tmp_path / "a.pth", "basicsr"), weights_only=True)["params_ema"]
    assert list(state) == list(small_rrdb.state_dict())
    assert small_rrdb.load_state_dict(state) is not None


def test_what_is_stated_of_other_tensors_is_not_believed(small_rrdb, tmp_path):
    metadata = {"unshuffle": "2", "architecture": "RRDBNet"}
    (tmp_path / "a.safetensors").write_bytes(serialise(dict(small_rrdb.state_dict()), metadata))
    assert read_checkpoint(tmp_path / "a.safetensors").config == small_rrdb.config


def test_weight_beyond_float16(small_rrdb, tmp_path):
    small_rrdb.conv_first.weight[0, 0, 0, 0] = 1e6
    with pytest.raises(CheckpointError, match=r"conv_first\.weight has numbers that float16 cannot hold"):
        save(small_rrdb, tmp_path / "a.param", "ncnn-float16")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("layout", [layout for layout in WRITABLE if layout not in NCNN])
def test_dtype(small_rrdb, tmp_path, layout, dtype):
    path = save(small_rrdb, tmp_path / f"a{suffix(layout)}", layout, dtype)
    checkpoint = read_checkpoint(path)
    assert checkpoint.stored == (dtype,)
    for name, tensor in small_rrdb.state_dict().items():
        assert torch.equal(checkpoint.tensors[name], tensor.to(getattr(torch, dtype)).float())


def test_dtype_of_ncnn(small_rrdb, tmp_path):
    assert read_checkpoint(save(small_rrdb, tmp_path / "a.param", dtype="float16")).stored == ("float16",)
    assert read_checkpoint(save(small_rrdb, tmp_path / "b.param")).stored == ("float32",)
    with pytest.raises(ConfigError, match="not bfloat16"):
        save(small_rrdb, tmp_path / "c.param", dtype="bfloat16")
    with pytest.raises(ConfigError, match="take the layout ncnn"):
        save(small_rrdb, tmp_path / "c.param", "ncnn-float16", "float32")
    with pytest.raises(ConfigError, match="unknown dtype 'int8'"):
        save(small_rrdb, tmp_path / "c.param", dtype="int8")


@pytest.mark.parametrize(
    ("name", "layout"),
    [("a.safetensors", "basicsr"), ("a.PTH", "basicsr"), ("a.pth.tar", "basicsr"), ("a.param", "ncnn")],
)
def test_layout_by_the_suffix(small_rrdb, tmp_path, name, layout):
    assert read_checkpoint(save(small_rrdb, tmp_path / name)).provenance.layout == layout


def test_no_layout_for_a_suffix(small_rrdb, tmp_path):
    with pytest.raises(
        ConfigError, match=r"a\.bin: give the file one of the suffixes \.safetensors, \.param"
    ):
        save(small_rrdb, tmp_path / "a.bin")


def test_facts_are_read_back(small_rrdb, tmp_path):
    path = save(small_rrdb, tmp_path / "a.safetensors", facts={"recipe": "x = 1"})
    assert read_checkpoint(path).metadata["recipe"] == "x = 1"
    with pytest.raises(ConfigError, match="only safetensors files hold facts"):
        save(small_rrdb, tmp_path / "a.pth", facts={"recipe": "x = 1"})
