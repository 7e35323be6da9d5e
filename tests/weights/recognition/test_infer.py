import pytest
import torch

from esrgan_torch.networks.compact import CompactNetConfig
from esrgan_torch.networks.rrdb import RRDBNet, RRDBNetConfig
from esrgan_weights.architectures.rrdb import rrdb_config
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError
from esrgan_weights.recognition.candidates import find
from esrgan_weights.recognition.infer import network_of


def understand(content):
    found, _ = find(content)
    return found.layout, *network_of(found)


@pytest.fixture
def tensors(small_rrdb):
    return dict(small_rrdb.state_dict())


def test_missing_tensor(tensors):
    del tensors["body.1.rdb3.conv5.bias"]
    with pytest.raises(CheckpointError, match=r"1 missing: body\.1\.rdb3\.conv5\.bias"):
        understand(tensors)


def test_missing_last_convolution(tensors):
    del tensors["conv_last.weight"], tensors["conv_last.bias"]
    with pytest.raises(CheckpointError, match=r"2 missing: conv_last\.weight, conv_last\.bias"):
        understand(tensors)


def test_unexpected_tensor(tensors):
    tensors["conv_extra.weight"] = torch.zeros(1)
    with pytest.raises(CheckpointError, match=r"1 unexpected: conv_extra\.weight"):
        understand(tensors)


def test_wrong_shape(tensors):
    tensors["conv_hr.weight"] = torch.zeros(8, 8, 1, 1)
    with pytest.raises(CheckpointError, match=r"conv_hr\.weight \[8, 8, 1, 1\] instead of \[8, 8, 3, 3\]"):
        understand(tensors)


def test_vector_for_a_convolution(tensors):
    tensors["conv_first.weight"] = torch.zeros(8)
    with pytest.raises(CheckpointError, match=r"conv_first\.weight has the shape \[8\]"):
        understand(tensors)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_not_finite(tensors, value):
    tensors["conv_up2.bias"] = torch.full((8,), value)
    with pytest.raises(CheckpointError, match=r"conv_up2\.bias holds NaN or infinity"):
        understand(tensors)


@pytest.mark.parametrize("dtype", [torch.int8, torch.int64, torch.bool, torch.complex64])
def test_no_floating_point(tensors, dtype):
    tensors["conv_hr.bias"] = torch.zeros(8, dtype=dtype)
    with pytest.raises(CheckpointError, match=r"conv_hr\.bias holds \w+ numbers"):
        understand(tensors)


def test_scale_32(tensors):
    for step in (3, 4, 5):
        for kind in ("weight", "bias"):
            tensors[f"conv_up{step}.{kind}"] = tensors[f"conv_up2.{kind}"]
    with pytest.raises(UnknownArchitectureError, match="scale 1, 2, 4, 8 or 16, not 32"):
        understand(tensors)


@pytest.mark.parametrize(
    ("channels", "scale", "unshuffle"), [(3, 4, 1), (12, 2, 2), (48, 1, 4), (6, 4, 1), (192, 4, 1)]
)
def test_unshuffle_by_channels(channels, scale, unshuffle):
    with torch.device("meta"):
        network = RRDBNet(8, 1, 4, in_channels=channels)
    config = rrdb_config(network.state_dict())
    assert (config.scale, config.unshuffle) == (scale, unshuffle)
    assert config.in_channels * unshuffle**2 == channels


def test_twelve_channels_without_upsampling_are_no_unshuffle():
    with torch.device("meta"):
        network = RRDBNet(8, 1, 4, scale=1, in_channels=12)
    assert rrdb_config(network.state_dict()) == RRDBNetConfig(8, 1, 4, 1, 12, 3, 1)


def test_compact_with_an_odd_number_of_output_channels(small_compact):
    tensors = dict(small_compact.state_dict())
    tensors["body.6.weight"], tensors["body.6.bias"] = torch.zeros(24, 8, 3, 3), torch.zeros(24)
    with pytest.raises(UnknownArchitectureError, match="a square number of channels, not 24"):
        understand(tensors)


def test_compact_without_its_end(small_compact):
    tensors = dict(small_compact.state_dict())
    del tensors["body.6.weight"], tensors["body.6.bias"]
    with pytest.raises(CheckpointError):
        understand(tensors)


def test_compact(small_compact):
    layout, config, found = understand(dict(small_compact.state_dict()))
    assert (layout, config) == ("basicsr", CompactNetConfig(8, 2))
    assert list(found) == list(small_compact.state_dict())
