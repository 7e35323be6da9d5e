"""The names of each layout, written out as they were seen in the field."""

import pytest
import torch

from esrgan_weights.architectures.rrdb import NAMES, tensor_names
from esrgan_weights.errors import CheckpointError
from esrgan_weights.recognition.candidates import find
from esrgan_weights.recognition.layouts import check_names

TAILS = {
    ("old-arch", 0): ["model.1.sub.23", "model.2", "model.4"],
    ("old-arch", 1): ["model.1.sub.23", "model.3", "model.5", "model.7"],
    ("old-arch", 2): ["model.1.sub.23", "model.3", "model.6", "model.8", "model.10"],
    ("old-arch", 3): ["model.1.sub.23", "model.3", "model.6", "model.9", "model.11", "model.13"],
    ("kair", 2): ["model.1.sub.22.RDB3.conv5", "model.1.sub.23", "model.3", "model.6", "model.8", "model.10"],
    ("new-arch", 2): ["trunk_conv", "upconv1", "upconv2", "HRconv", "conv_last"],
    ("basicsr", 2): ["conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"],
    ("lornatang", 2): ["conv2", "upsampling1.0", "upsampling2.0", "conv3.0", "conv4"],
}
HEADS = {
    "old-arch": ["model.0", "model.1.sub.0.RDB1.conv1.0", "model.1.sub.0.RDB1.conv2.0"],
    "new-arch": ["conv_first", "RRDB_trunk.0.RDB1.conv1", "RRDB_trunk.0.RDB1.conv2"],
    "basicsr": ["conv_first", "body.0.rdb1.conv1", "body.0.rdb1.conv2"],
    "lornatang": ["conv1", "trunk.0.rdb1.conv1", "trunk.0.rdb1.conv2"],
}


@pytest.mark.parametrize(("layout", "upsamplings"), TAILS)
def test_tail(layout, upsamplings):
    expected = TAILS[layout, upsamplings]
    assert NAMES[layout].modules(23, upsamplings)[-len(expected) :] == expected


@pytest.mark.parametrize("layout", HEADS)
def test_head_and_count(layout):
    modules = NAMES[layout].modules(23, 2)
    assert modules[:3] == HEADS[layout]
    assert len(modules) == 351
    assert len(set(modules)) == 351


@pytest.mark.parametrize("layout", ["old-arch", "kair", "new-arch", "basicsr", "lornatang"])
@pytest.mark.parametrize("blocks", [1, 6, 12])
@pytest.mark.parametrize("upsamplings", [0, 1, 2, 3, 4, 5, 6])
def test_sizes_are_counted_back(layout, blocks, upsamplings):
    names = list(tensor_names(NAMES[layout], blocks, upsamplings))
    found, _ = find({name: torch.zeros(1) for name in names})
    assert found.layout == layout
    assert NAMES[layout].count(names) == (blocks, upsamplings)


def test_absurd_block_number_is_not_believed():
    names = [*tensor_names(NAMES["basicsr"], 1, 2), "body.999999.rdb1.conv1.weight"]
    blocks, _ = NAMES["basicsr"].count(names)
    assert blocks <= len(names)


def test_missing_and_unexpected_names_are_told():
    with pytest.raises(CheckpointError, match=r"1 missing: b; 6 unexpected: c0, c1, c2, c3, \.\.\.$"):
        check_names(["a", *(f"c{number}" for number in range(6))], ["a", "b"], "RRDBNet")
