"""The tensors' names by which other networks are told: each has all its marks, and no network above it has.

The names are facts of the published networks: their state dicts, and the tables of spandrel and chaiNNer.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Signature:
    """A network, and names that a file of it has.

    Args:
        name: what it is.
        marks: names of tensors, without any prefix.
        reader: the package that reads it, or None.
    """

    name: str
    marks: tuple[str, ...]
    reader: str | None = None


def _spandrel(name: str, *marks: str) -> Signature:
    return Signature(name, marks, "spandrel")


def _extra(name: str, *marks: str) -> Signature:
    return Signature(name, marks, "spandrel_extra_arches")


def _other(name: str, *marks: str) -> Signature:
    return Signature(name, marks)


# RRDBNets with more in them: they must be told before anything is taken for an RRDBNet
RELATIVES = (
    _spandrel(
        "ESRGAN+, an RRDBNet with extra 1x1 convolutions",
        "model.0.weight",
        "model.1.sub.0.RDB1.conv1x1.weight",
    ),
    _extra("SPSR, an RRDBNet with a gradient branch", "f_HR_conv1.0.weight", "model.0.weight"),
    _other(
        "an RRDBNet whose dense blocks have extra 1x1 convolutions (srdb)",
        "conv_first.weight",
        "body.0.srdb1.conv1x1.weight",
    ),
    _spandrel(
        "MM-RealSR, an RRDBNet that is told the degradation",
        "am_list.0.fc.0.weight",
        "body.0.rdb1.conv1.weight",
    ),
)

# what lies beside a generator in people's folders
TRAINING = (
    _other(
        "the discriminator of ESRGAN (VGG style), a training file; the generator is the other file",
        "conv0_0.weight",
        "linear1.weight",
    ),
    *(
        _other(
            "the discriminator of Real-ESRGAN (U-Net, usually named *_netD.pth), a training file; "
            "the generator is the file without netD in its name",
            "conv0.weight",
            "conv9.weight",
            f"conv1.{kind}",
        )
        for kind in ("weight_orig", "parametrizations.weight.original")
    ),
    _other("SqueezeNet, a network for image recognition", "features.3.squeeze.weight", "classifier.1.weight"),
    _other(
        "AlexNet, a network for image recognition",
        "features.0.weight",
        "features.3.weight",
        "features.6.weight",
        "classifier.1.weight",
        "classifier.4.weight",
        "classifier.6.weight",
    ),
    _other("a VGG network for image recognition", "features.0.weight", "classifier.6.weight"),
    _other(
        "ResNet, a network for image recognition",
        "layer1.0.conv1.weight",
        "layer4.0.conv1.weight",
        "fc.weight",
    ),
    *(
        _other(
            "a discriminator (VGG style), a training file; the generator is the other file",
            first,
            "classifier.0.weight",
            "classifier.2.weight",
        )
        for first in ("features.0.weight", "features.0.0.weight")
    ),
)

TRANSFORMERS = (
    _spandrel("HAT", "layers.0.residual_group.overlap_attn.qkv.weight"),
    _spandrel("ATD", "layers.0.residual_group.td"),
    _spandrel("CRAFT", "layers.0.residual_group.hf_blocks.0.attn.temperature"),
    _spandrel("DRCT", "layers.0.swin1.norm1.weight", "layers.0.adjust1.weight"),
    _spandrel("RGT", "before_RG.1.weight", "layers.0.blocks.0.gamma"),
    _spandrel("DAT", "before_RG.1.weight", "layers.0.blocks.0.attn.qkv.weight"),
    _spandrel("GRL", "layers.0.blocks.0.attn.window_attn.attn_transform.logit_scale"),
    _extra("SRFormer", "layers.0.residual_group.blocks.0.attn.aligned_relative_position_index"),
    _spandrel("Swin2SR", "layers.0.residual_group.blocks.0.attn.cpb_mlp.0.weight"),
    _spandrel("SwinIR", "layers.0.residual_group.blocks.0.attn.relative_position_bias_table"),
    _spandrel("OmniSR", "residual_layer.0.residual_layer.0.layer.0.fn.0.weight"),
    _spandrel("SCUNet", "m_body.0.trans_block.ln1.weight", "m_head.0.weight", "m_tail.0.weight"),
    _spandrel("Uformer", "input_proj.proj.0.weight", "encoderlayer_0.blocks.0.norm1.weight"),
    _spandrel("DITN", "UFONE.0.ITLs.0.attn.temperature"),
    _spandrel("DCTLSA", "B1.body.0.transformer_body.0.blocks.0.attn.qkv.weight"),
    _spandrel("FDAT", "groups.0.blocks.0.inter.cg.1.weight"),
    _spandrel("IPT", "body.encoder.layers.0.self_attn.in_proj_weight", "head.0.0.weight"),
    _spandrel("FFTformer", "encoder_level1.0.ffn.fft"),
    _spandrel("KBNet", "encoders.0.0.attgamma", "middle_blks.0.w"),
    _spandrel("KBNet", "latent.0.ffn.qkv.weight", "refinement.0.attn.dwconv.0.weight"),
    _extra("Restormer", "patch_embed.proj.weight", "encoder_level1.0.attn.temperature"),
    _spandrel("RetinexFormer", "body.0.denoiser.embedding.weight"),
)

CONVOLUTIONAL = (
    _other("SPANPlus, a relative of SPAN", "feats.1.block_1.c1_r.sk.weight", "feats.1.conv_cat.weight"),
    _spandrel("PLKSR", "feats.1.channe_mixer.0.weight"),
    _spandrel("RealPLKSR", "feats.1.channel_mixer.0.weight"),
    _spandrel("MoESR", "blocks.0.blocks.0.conv.dwconv_hw.weight"),
    _spandrel("MoSR", "gblocks.0.weight", "gblocks.1.fc1.weight"),
    _spandrel("SeemoRe", "body.0.local_block.norm_1.weight"),
    _spandrel("SAFMN", "feats.0.safm.mfr.0.weight"),
    _spandrel("SAFMN BCIE", "feats.0.layers.0.safm.mfr.0.weight"),
    _spandrel("NAFNet", "intro.weight", "middle_blks.0.sca.1.weight"),
    _spandrel("RCAN", "body.0.body.0.body.3.conv_du.0.weight"),
    _other("EDSR", "head.0.weight", "body.0.body.0.weight", "tail.0.0.weight"),
    _other("EDSR", "conv_first.weight", "body.0.conv1.weight", "conv_after_body.weight"),
    _other("SRResNet", "conv_first.weight", "body.0.conv1.weight", "upconv1.weight"),
    _other("SRResNet", "model.0.weight", "model.1.sub.0.res.0.weight"),
    _spandrel("Swift-SRGAN", "initial.cnn.depthwise.weight", "final_conv.pointwise.weight"),
    _spandrel("Real-CUGAN", "unet1.conv1.conv.0.weight"),
    _spandrel("AuraSR", "mid_attn.layers.0.0.to_out.weight", "final_res_block.block1.proj.weights"),
    _spandrel("FBCNN", "qf_pred.0.res.0.weight"),
    _spandrel("DRUNet", "m_down1.0.res.0.weight", "m_body.0.res.0.weight", "m_tail.weight"),
    _spandrel("MixDehazeNet", "layer1.blocks.0.conv3_19.weight"),
    _spandrel("HVI-CIDNet", "HVE_block0.1.weight"),
    _spandrel("LaMa, which fills holes", "model.1.ffc.convl2l.weight"),
    _spandrel("GFPGAN, a face restorer", "stylegan_decoder.style_mlp.1.weight"),
    _spandrel("RestoreFormer, a face restorer", "quantize.embedding.weight", "encoder.conv_in.weight"),
    _extra("CodeFormer, a face restorer", "quantize.embedding.weight", "idx_pred_layer.1.weight"),
    _other("Stable Diffusion", "model.diffusion_model.input_blocks.0.0.weight"),
    _other(
        "a U-Net of diffusers (Stable Diffusion)", "conv_in.weight", "down_blocks.0.resnets.0.conv1.weight"
    ),
    # names of places in a plain sequence: last, since others may have them too
    *(
        _spandrel("DnCNN (or FFDNet or IRCNN, whose tensors have the same names)", *marks)
        for marks in (
            ("model.0.weight", "model.2.weight", "model.4.weight", "model.6.weight"),
            ("model.0.weight", "model.2.weight", "model.3.running_mean", "model.5.weight"),
        )
    ),
    _other("a Compact network without PReLU", "body.0.weight", "body.2.weight", "body.4.weight"),
)

NETWORKS = (*RELATIVES, *TRANSFORMERS, *CONVOLUTIONAL)
SIGNATURES = (*RELATIVES, *TRAINING, *TRANSFORMERS, *CONVOLUTIONAL)
