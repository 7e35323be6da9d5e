"""SPAN's tensors in every way that files have them, beside spandrel's class."""

from importlib import import_module
from typing import Any

import pytest
import torch
from torch import Tensor

from esrgan_torch.metrics.torchvision_import import import_torchvision
from esrgan_torch.networks.span import SPAN, SPANConfig
from esrgan_torch.networks.span_training import SPANTraining
from esrgan_weights.architectures.span_tensors import (
    MARKS,
    NO_NORM,
    idle_names,
    needed_names,
    official_tensors,
    plain_tensors,
    shapes_of_span,
    span_config,
)
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError


def official(config: SPANConfig, seed: int = 0) -> Any:
    """spandrel's network with random weights."""
    import_torchvision()
    pytest.importorskip("spandrel")
    torch.manual_seed(seed)
    module: Any = import_module("spandrel.architectures.SPAN.__arch.span")
    return module.SPAN(
        num_in_ch=config.in_channels,
        num_out_ch=config.out_channels,
        feature_channels=config.features,
        upscale=config.scale,
        norm=config.normalised,
    ).eval()


def read(tensors: dict[str, Tensor]) -> SPAN:
    """As reading a file does it."""
    plain = plain_tensors(tensors)
    config = span_config(plain, normalised=NO_NORM not in tensors)
    assert {name: tuple(tensor.shape) for name, tensor in plain.items()} == shapes_of_span(config)
    model = SPAN(**vars(config))
    model.load_state_dict(plain)
    return model.eval()


def assert_same_picture(model: SPAN, peer: Any) -> None:
    batch = torch.rand(1, 3, 9, 7, dtype=torch.float64)
    with torch.no_grad():
        expected = peer.double()(batch)
        torch.testing.assert_close(
            model.double()(batch), expected, rtol=0, atol=1e-5 * float(expected.abs().max())
        )


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize(("features", "scale"), [(26, 1), (32, 2), (48, 3), (48, 4), (8, 8)])
def test_official_files(features: int, scale: int, normalised: bool) -> None:
    peer = official(SPANConfig(features, scale, normalised=normalised))
    tensors = peer.state_dict()
    assert set(needed_names(tensors)) | set(idle_names(tensors)) == set(tensors)
    model = read(tensors)
    assert model.config == SPANConfig(features, scale, normalised=normalised)
    assert_same_picture(model, peer)


def test_the_branches_count_and_not_what_was_computed_from_older_ones() -> None:
    peer = official(SPANConfig(8, 2))
    tensors = peer.state_dict()
    stale = {name: tensor + ("eval_conv" in name) for name, tensor in tensors.items()}
    missing = {name: tensor for name, tensor in tensors.items() if "eval_conv" not in name}
    assert len(missing) < len(tensors)
    for file in (stale, missing):
        assert_same_picture(read(file), peer)


def test_a_file_with_the_plain_convolutions_alone() -> None:
    training = SPANTraining(8, 2)
    plain = training.fused().state_dict()
    evaluation = {
        name.replace(".weight", ".eval_conv.weight").replace(".bias", ".eval_conv.bias")
        if not name.startswith(("conv_cat", "upsampler"))
        else name: tensor
        for name, tensor in plain.items()
    }
    for file in (plain, evaluation):
        assert set(needed_names(file)) == set(file)
        assert all(torch.equal(tensor, plain[name]) for name, tensor in plain_tensors(file).items())


def test_half_precision_is_merged_in_float64() -> None:
    training = SPANTraining(8, 2).half()
    expected = training.double().fused().state_dict()
    for name, tensor in plain_tensors(training.half().state_dict()).items():
        torch.testing.assert_close(tensor, expected[name].float(), rtol=0, atol=0)


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_what_is_written_is_read_by_the_official_program(dtype: torch.dtype, normalised: bool) -> None:
    torch.manual_seed(0)
    model = SPAN(8, 2, normalised=normalised).to(dtype).float()
    config = model.config
    stored = {name: tensor.to(dtype) for name, tensor in model.state_dict().items()}
    written = official_tensors(stored, config)
    peer = official(config)
    assert list(peer.state_dict()) == [
        *(name for name in written if name == NO_NORM),
        *(name for name in peer.state_dict() if name != NO_NORM),
    ]
    peer.load_state_dict(written)
    assert_same_picture(model.to(dtype), peer)
    again = plain_tensors(written)
    assert all(torch.equal(again[name].to(dtype), tensor) for name, tensor in stored.items())


def test_other_pictures() -> None:
    gray_to_colour = SPAN(4, 2, 1, 3, normalised=False).state_dict()
    assert span_config(gray_to_colour, normalised=False) == SPANConfig(4, 2, 1, 3, normalised=False)
    with pytest.raises(UnknownArchitectureError, match="so of 3 channels, not 1"):
        span_config(gray_to_colour, normalised=True)
    odd = SPAN(4, 2).state_dict() | {"upsampler.0.weight": torch.zeros(15, 4, 3, 3)}
    with pytest.raises(UnknownArchitectureError, match=r"with 1, 3 or 4 times a square number .* not 15"):
        span_config(odd, normalised=True)


def test_branches_that_do_not_fit_are_named() -> None:
    tensors = SPANTraining(4, 2).state_dict()
    tensors["block_3.c2_r.conv.1.weight"] = torch.zeros(8, 8, 1, 1)
    with pytest.raises(CheckpointError, match=r"branches of block_3\.c2_r .*conv\.1\.weight \[8, 8, 1, 1\]"):
        plain_tensors(tensors)
    tensors = SPANTraining(4, 2).state_dict()
    del tensors["conv_2.sk.bias"]
    assert set(needed_names(tensors)) - set(tensors) == {"conv_2.sk.bias"}


def test_each_way_has_its_marks() -> None:
    peer = official(SPANConfig(4, 2)).state_dict()
    plain = SPAN(4, 2).state_dict()
    assert {way for way, marks in MARKS.items() if set(marks) <= set(peer)} == {"trained", "evaluation"}
    assert {way for way, marks in MARKS.items() if set(marks) <= set(plain)} == {"plain"}
