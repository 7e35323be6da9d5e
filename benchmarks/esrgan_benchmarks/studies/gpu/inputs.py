"""What a run on a GPU computes with: official weights and a photo."""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from esrgan_benchmarks.studies.gpu.evidence import SEEDED
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RRDBNet

OFFICIAL = "realesrgan-x4plus"
PHOTO = Path(__file__).parents[4] / "examples" / "cat.jpg"
PHOTO_SIZE = (140, 180)  # height and width


def official_network() -> tuple[RRDBNet, str]:
    """RRDB-23 with official weights where they are in the cache, else with seeded ones, and which it is."""
    try:
        from esrgan_weights import load

        model = load(OFFICIAL)
    except Exception as error:  # no cache and no network, or a package that a bare machine lacks
        print(f"official weights: {type(error).__name__}: {error}; seeded ones are used", file=sys.stderr)
        return seeded(23), SEEDED
    assert isinstance(model, RRDBNet)
    return model.eval().requires_grad_(False), OFFICIAL


def seeded(blocks: int, **sizes: int) -> RRDBNet:
    """An RRDBNet with random weights whose values stay as large as trained ones'."""
    torch.manual_seed(0)
    model = RRDBNet(blocks=blocks, **sizes)
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.uniform_(module.bias, -0.1, 0.1)
    return model.eval().requires_grad_(False)


def compact(**sizes: int) -> CompactNet:
    """A CompactNet with random weights; the picture beneath keeps its output a picture."""
    torch.manual_seed(0)
    return CompactNet(**sizes).eval().requires_grad_(False)


def photo(height: int, width: int, device: torch.device) -> Tensor:
    """(1, 3, H, W) in [0, 1]: the photo of `examples`, cut, or mirrored until the size is reached."""
    with Image.open(PHOTO) as file:
        pixels = np.asarray(file.convert("RGB"))
    missing = [max(size - have, 0) for size, have in zip((height, width), pixels.shape, strict=False)]
    pixels = np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), "symmetric")[:height, :width]
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float().div(255).to(device)
