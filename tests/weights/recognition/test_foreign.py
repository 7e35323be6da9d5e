import pytest
import torch

from esrgan_weights.errors import UnknownArchitectureError
from esrgan_weights.recognition.candidates import find
from esrgan_weights.recognition.foreign import identify
from esrgan_weights.recognition.signatures import SIGNATURES

# networks that no package at hand can make: names of their published files
OTHERS = {
    "the discriminator of ESRGAN": ["conv0_0.weight", "conv0_0.bias", "bn0_1.weight", "linear1.weight"],
    "the discriminator of Real-ESRGAN": [
        "conv0.weight",
        "conv1.weight_orig",
        "conv1.weight_u",
        "conv9.weight",
    ],
    "a discriminator": ["features.0.weight", "classifier.0.weight", "classifier.2.weight"],
    "a VGG network": ["features.0.weight", "classifier.0.weight", "classifier.6.weight"],
    "EDSR": ["head.0.weight", "body.0.body.0.weight", "tail.0.0.weight"],
    "SRResNet": ["conv_first.weight", "body.0.conv1.weight", "upconv1.weight", "conv_hr.weight"],
    "SRFormer": ["layers.0.residual_group.blocks.0.attn.aligned_relative_position_index"],
    "SPSR": ["model.0.weight", "model.1.sub.0.RDB1.conv1.0.weight", "f_HR_conv1.0.weight"],
    "CodeFormer": ["quantize.embedding.weight", "idx_pred_layer.1.weight"],
    "Stable Diffusion": ["model.diffusion_model.input_blocks.0.0.weight"],
    "a Compact network without PReLU": ["body.0.weight", "body.0.bias", "body.2.weight", "body.4.weight"],
}


@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.parametrize("prefix", ["", "params_ema.", "state_dict.model."])
def test_other_networks_are_named(what, prefix):
    with pytest.raises(UnknownArchitectureError, match=f"it is {what}"):
        find({prefix + name: torch.zeros(1) for name in OTHERS[what]})


def test_which_tool_reads_it_and_what_is_read_here():
    name = "layers.0.residual_group.blocks.0.attn.relative_position_bias_table"
    with pytest.raises(
        UnknownArchitectureError,
        match=r"it is SwinIR, which spandrel reads; .* ESRGAN \(RRDBNet\), Compact \(SRVGGNetCompact\) and "
        r'SPAN; to run it all the same: pip install "esrgan-torch\[spandrel\]"$',
    ):
        find({"params": {name: torch.zeros(1)}})


def test_identify():
    marks = ("conv0.weight", "conv9.weight", "conv1.weight_orig")
    other = identify([f"net.{mark}" for mark in marks])
    assert other is not None
    assert (other.prefix, other.reader, other.marks) == ("net.", None, marks)
    assert identify([f"net.{mark}" for mark in marks], anywhere=False) is None
    assert identify(["a", "b"]) is None
    # the marks of one network stand below one prefix
    assert identify(["x.conv0.weight", "y.conv9.weight", "x.conv1.weight_orig"]) is None


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda signature: signature.marks[-1])
def test_every_signature_is_told_by_its_own_marks(signature):
    other = identify(signature.marks)
    assert other is not None
    assert other.name == signature.name


def test_unknown_network_shows_its_tensors():
    with pytest.raises(UnknownArchitectureError, match=r"its tensors are a0, a1, a2, a3, a4, a5, \.\.\.$"):
        find({f"a{number}": torch.zeros(1) for number in range(9)})
