"""The signatures on the names that other networks really have: small ones made by spandrel's own classes."""

import warnings
from importlib import import_module

import pytest
import torch

from esrgan_torch.metrics.torchvision_import import import_torchvision
from esrgan_weights import read_checkpoint
from esrgan_weights.errors import UnknownArchitectureError
from esrgan_weights.recognition.candidates import find
from esrgan_weights.recognition.foreign import identify

# folder of spandrel.architectures, module and class -> sizes of a small one, and what it is called
SMALL = {
    "ATD.__arch.atd_arch.ATD": ({"img_size": 16, "embed_dim": 12, "depths": [1], "num_heads": [2]}, "ATD"),
    "AuraSR.__arch.aura_sr.UnetUpsampler": ({"dim": 8, "image_size": 32, "input_image_size": 8,
         "style_network": {"dim_in": 8, "dim_out": 8, "depth": 1}},
        "AuraSR",
    ),
    "CRAFT.__arch.CRAFT.CRAFT": ({"embed_dim": 12, "depths": [1], "num_heads": [2]}, "CRAFT"),
    "DAT.__arch.DAT.DAT": ({"img_size": 16, "embed_dim": 12, "depth": [1], "num_heads": [2]}, "DAT"),
    "DCTLSA.__arch.dctlsa.DCTLSA": ({}, "DCTLSA"),
    "DITN.__arch.DITN_Real.DITN_Real": ({}, "DITN"),
    "DRCT.__arch.drct_arch.DRCT": (
        {"img_size": 16, "embed_dim": 12, "depths": [1], "num_heads": [2]},
        "DRCT",
    ),
    "DRUNet.__arch.network_unet.DRUNet": ({"nc": [4, 4, 4, 4]}, "DRUNet"),
    "DnCNN.__arch.network_dncnn.DnCNN": ({"nc": 4}, "DnCNN"),
    "ESRGAN.__arch.RRDB.RRDBNet": (
        {"num_filters": 8, "num_blocks": 1, "plus": True},
        "ESRGAN+, an RRDBNet with extra 1x1 convolutions",
    ),
    "FBCNN.__arch.FBCNN.FBCNN": ({"nc": [4, 4, 4, 4], "nb": 1}, "FBCNN"),
    "FDAT.__arch.fdat.FDAT": ({"embed_dim": 12, "num_groups": 1, "depth_per_group": 1}, "FDAT"),
    "FFTformer.__arch.fftformer_arch.FFTformer": ({"dim": 8, "num_blocks": [1, 1, 1]}, "FFTformer"),
    "GFPGAN.__arch.gfpganv1_clean_arch.GFPGANv1Clean": ({}, "GFPGAN, a face restorer"),
    "GRL.__arch.grl.GRL": (
        {"img_size": 16, "window_size": 8, "embed_dim": 12, "depths": [1], "num_heads_window": [1],
         "num_heads_stripe": [1], "stripe_size": [8, 8]},
        "GRL",
    ),
    "HAT.__arch.HAT.HAT": (
        {"img_size": 16, "window_size": 4, "embed_dim": 12, "depths": [1], "num_heads": [2]},
        "HAT",
    ),
    "KBNet.__arch.kbnet_s.KBNet_s": (
        {"width": 8, "middle_blk_num": 1, "enc_blk_nums": [1, 1, 1, 1], "dec_blk_nums": [1, 1, 1, 1]},
        "KBNet",
    ),
    "LaMa.__arch.LaMa.LaMa": ({}, "LaMa, which fills holes"),
    "MMRealSR.__arch.mmrealsr_arch.MMRRDBNet_test": (
        {"num_in_ch": 3, "num_out_ch": 3, "num_feat": 8, "num_block": 1, "num_grow_ch": 4},
        "MM-RealSR, an RRDBNet that is told the degradation",
    ),
    "MixDehazeNet.__arch.MixDehazeNet.MixDehazeNet": ({"depths": [1] * 5}, "MixDehazeNet"),
    "MoESR.__arch.MoESR.MoESR": ({}, "MoESR"),
    "MoSR.__arch.mosr_arch.MoSR": ({"n_block": 1, "dim": 8}, "MoSR"),
    "NAFNet.__arch.NAFNet_arch.NAFNet": ({"width": 8, "enc_blk_nums": [1], "dec_blk_nums": [1]}, "NAFNet"),
    "OmniSR.__arch.OmniSR.OmniSR": ({}, "OmniSR"),
    "PLKSR.__arch.PLKSR.PLKSR": ({"dim": 8, "n_blocks": 1}, "PLKSR"),
    "PLKSR.__arch.RealPLKSR.RealPLKSR": ({"dim": 8, "n_blocks": 1}, "RealPLKSR"),
    "RCAN.__arch.rcan_arch.RCAN": (
        {"n_resgroups": 1, "n_resblocks": 1, "n_feats": 8, "reduction": 2},
        "RCAN",
    ),
    "RGT.__arch.rgt.RGT": ({"img_size": 16, "embed_dim": 12, "depth": [1], "num_heads": [2]}, "RGT"),
    "RealCUGAN.__arch.upcunet_v3.UpCunet2x": ({}, "Real-CUGAN"),
    "RestoreFormer.__arch.restoreformer_arch.RestoreFormer": ({}, "RestoreFormer, a face restorer"),
    "RetinexFormer.__arch.retinexformer_arch.RetinexFormer": ({"n_feat": 8, "stage": 1}, "RetinexFormer"),
    "SAFMN.__arch.safmn.SAFMN": ({"dim": 8, "n_blocks": 1}, "SAFMN"),
    "SAFMNBCIE.__arch.safmn_bcie.SAFMN_BCIE": ({"dim": 8, "n_blocks": 1}, "SAFMN BCIE"),
    "SCUNet.__arch.SCUNet.SCUNet": ({"config": [2] * 7, "dim": 32}, "SCUNet"),
    "SeemoRe.__arch.seemore_arch.SeemoRe": ({}, "SeemoRe"),
    "Swin2SR.__arch.Swin2SR.Swin2SR": (
        {"img_size": 16, "depths": [1], "num_heads": [2], "embed_dim": 8, "window_size": 4},
        "Swin2SR",
    ),
    "SwinIR.__arch.SwinIR.SwinIR": (
        {"img_size": 16, "depths": [1], "num_heads": [2], "embed_dim": 8, "window_size": 4},
        "SwinIR",
    ),
    "SwiftSRGAN.__arch.SwiftSRGAN.Generator": ({"num_channels": 8, "num_blocks": 1}, "Swift-SRGAN"),
    "Uformer.__arch.Uformer.Uformer": ({"img_size": 32, "embed_dim": 4, "depths": [1] * 9}, "Uformer"),
    "HVICIDNet.__arch.cidnet.CIDNet": ({"channels": [8, 8, 8, 8], "heads": [1, 2, 4, 8]}, "HVI-CIDNet"),
}  # fmt: skip


def names_of(path: str) -> list[str]:
    """Names of the tensors of a small network of that class."""
    import_torchvision()
    module, _, name = path.rpartition(".")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network_class = getattr(import_module(f"spandrel.architectures.{module}"), name)
        sizes, _ = SMALL[path]
        try:
            with torch.device("meta"):
                network = network_class(**sizes)
        except RuntimeError:  # some compute their sizes with tensors
            network = network_class(**sizes)
    return list(network.state_dict())


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.rpartition(".")[2])
def test_a_small_network_is_named(path):
    _, name = SMALL[path]
    names = names_of(path)
    for prefix in ("", "params_ema.", "state_dict.model."):
        other = identify(prefix + key for key in names)
        assert other is not None
        assert other.name.partition(" (")[0] == name.partition(" (")[0]
        assert other.reader == "spandrel"
    with pytest.raises(UnknownArchitectureError, match=name.split(",")[0].replace("+", r"\+")):
        find({"params": {key: torch.zeros(2) for key in names}})


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("alexnet", "AlexNet"),
        ("squeezenet1_1", "SqueezeNet"),
        ("vgg11", "a VGG network"),
        ("resnet18", "ResNet"),
    ],
)
def test_networks_for_image_recognition(model, name, tmp_path):
    import_torchvision()
    with torch.device("meta"):
        network = getattr(import_module("torchvision.models"), model)(num_classes=2)
    path = tmp_path / "a.pth"
    torch.save({key: torch.zeros(1) for key in network.state_dict()}, path)
    with pytest.raises(UnknownArchitectureError, match=f"it is {name}"):
        read_checkpoint(path)
