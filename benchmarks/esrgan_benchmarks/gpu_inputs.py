"""What a run on a GPU computes with: official weights, a photo, and float32 that is float32."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from esrgan_benchmarks.gpu_evidence import SEEDED
from esrgan_torch.compact import CompactNet
from esrgan_torch.generator import RRDBNet

OFFICIAL = "realesrgan-x4plus"
PHOTO = Path(__file__).parents[2] / "examples" / "cat.jpg"
PHOTO_SIZE = (140, 180)  # height and width


@contextmanager
def true_float32() -> Generator[None]:
    """Float32 without TF32, which cuDNN takes on a GPU unless told otherwise: as far off as float16.

    What it was before is restored afterwards.
    """
    flags = cast(Any, torch.backends.cudnn).flags
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with flags(enabled=True, benchmark=False, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


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
