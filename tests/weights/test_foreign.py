import pytest
import torch

from esrgan_weights.errors import UnknownArchitectureError
from esrgan_weights.infer import understand

# a few of the keys of each; enough to tell it
OTHERS = {
    "ESRGAN+": ["model.0.weight", "model.1.sub.0.RDB1.conv1.0.weight", "model.1.sub.0.RDB1.conv1x1.weight"],
    "discriminator of ESRGAN": ["conv0_0.weight", "conv0_0.bias", "bn0_1.weight", "linear1.weight"],
    "discriminator of Real-ESRGAN": ["conv0.weight", "conv1.weight_orig", "conv1.weight_u", "conv9.weight"],
    "a discriminator": [
        "features.0.weight",
        "classifier.0.weight",
        "classifier.2.weight",
    ],
    "VGG network": ["features.0.weight", "classifier.0.weight", "classifier.6.weight"],
    "SwinIR": ["conv_first.weight", "layers.0.residual_group.blocks.0.attn.relative_position_bias_table"],
    "HAT": ["layers.0.residual_group.overlap_attn.qkv.weight", "layers.0.x.relative_position_bias_table"],
    "RCAN": ["head.0.weight", "body.0.body.0.body.3.conv_du.0.weight"],
    "EDSR": ["head.0.weight", "body.0.body.0.weight", "tail.0.0.weight"],
    "SRResNet": ["conv_first.weight", "body.0.conv1.weight", "upconv1.weight", "conv_hr.weight"],
    "Real-CUGAN": ["unet1.conv1.conv.0.weight"],
    "GFPGAN": ["stylegan_decoder.style_mlp.1.weight"],
    "CodeFormer": ["quantize.embedding.weight"],
    "Stable Diffusion": ["model.diffusion_model.input_blocks.0.0.weight"],
    "Compact network without PReLU": ["body.0.weight", "body.0.bias", "body.2.weight", "body.4.weight"],
}


@pytest.mark.parametrize("what", OTHERS)
def test_other_networks_are_named(what):
    with pytest.raises(UnknownArchitectureError, match=what):
        understand({name: torch.zeros(1) for name in OTHERS[what]})


def test_unknown_network_shows_its_tensors():
    with pytest.raises(UnknownArchitectureError, match=r"its tensors are a0, a1, a2, a3, a4, a5, \.\.\.$"):
        understand({f"a{number}": torch.zeros(1) for number in range(9)})
