"""Files that people feed us and that are not a generator of this project, told by their keys."""

import re
from collections.abc import Iterable

# (what it is, patterns that must each match the whole of some key), the more particular first
SIGNATURES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ESRGAN+, an RRDBNet with extra 1x1 convolutions", (r".*RDB\d\.conv1x1\.weight",)),
    ("SPSR, an RRDBNet with a gradient branch", (r".*f_HR_conv\d.*",)),
    (
        "the discriminator of ESRGAN (VGG style), a training file; the generator is the other file",
        (r"conv0_0\.weight", r"linear1\.weight"),
    ),
    (
        "the discriminator of Real-ESRGAN (U-Net, usually named *_netD.pth), a training file; "
        "the generator is the file without netD in its name",
        (r"conv0\.weight", r"conv9\.weight", r"conv\d\.(weight_orig|parametrizations\..*)"),
    ),
    ("a VGG network for image recognition", (r"features\.0\.weight", r"classifier\.6\.weight")),
    (
        "a discriminator (VGG style), a training file; the generator is the other file",
        (r"features\.0(\.\d)?\.weight", r"classifier\.\d\.weight"),
    ),
    ("HAT", (r".*overlap_attn\..*", r".*relative_position_bias_table")),
    ("SwinIR or Swin2SR", (r"layers\.0\.residual_group\..*",)),
    ("a transformer (SwinIR's family)", (r".*relative_position_bias_table",)),
    ("RCAN", (r"body\.0\.body\.\d\.body\.\d\.conv_du\..*",)),
    ("EDSR", (r"head\.0\.weight", r"body\.0\.body\.0\.weight", r"tail\..*")),
    ("EDSR", (r"conv_first\.weight", r"body\.0\.conv1\.weight", r"conv_after_body\.weight")),
    ("SRResNet", (r"conv_first\.weight", r"body\.0\.conv1\.weight", r"upconv1\.weight")),
    ("SRResNet", (r"model\.1\.sub\.0\.res\.0\.weight",)),
    ("Real-CUGAN", (r"unet1\.conv1\.conv\.0\.weight",)),
    ("GFPGAN, a face restorer", (r"stylegan_decoder\..*",)),
    ("CodeFormer, a face restorer", (r"quantize\.embedding\.weight",)),
    ("Stable Diffusion", (r"model\.diffusion_model\..*",)),
    ("a Compact network without PReLU", (r"body\.0\.weight", r"body\.2\.weight", r"body\.4\.weight")),
)


def name_of(keys: Iterable[str]) -> str | None:
    """What a file with these keys is, or None if it is not in the table."""
    known = list(keys)
    for what, patterns in SIGNATURES:
        if all(any(re.fullmatch(pattern, key) for key in known) for pattern in patterns):
            return what
    return None
