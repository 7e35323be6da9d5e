"""PSNR of a network on a folder of pictures while it trains, by the papers' protocol."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from esrgan_torch.images.picture import Picture
from esrgan_torch.metrics.protocol import evaluate
from esrgan_torch.networks.base import Generator


def validate(network: Generator, folder: Path) -> tuple[float, list[NDArray[Any]]]:
    """Mean PSNR (dB, Y) over the folder, and the enlarged pictures, (H, W, 3) uint8, in order of name.

    Args:
        network: in any precision, on any device; it is put into evaluation mode and back.
        folder: as `esrgan_torch.metrics.protocol.evaluate` takes it.
    """
    pictures: list[NDArray[Any]] = []

    def upscale(picture: Picture) -> Picture:
        pixels = enlarge(network, picture.pixels)
        pictures.append(pixels)
        return picture.with_pixels(pixels)

    was_training = network.training
    network.eval()
    try:
        evaluation = evaluate(upscale, folder, scale=network.scale)
    finally:
        network.train(was_training)
    return evaluation.mean.psnr_y, pictures


@torch.inference_mode()
def enlarge(network: Generator, pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 -> (H * scale, W * scale, 3) uint8, the bare network on the whole picture."""
    device = next(network.parameters()).device
    batch = torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].to(device).float() / 255
    levels = network(batch)[0].float().clamp(0, 1).mul(255).round().to(torch.uint8)
    return levels.permute(1, 2, 0).cpu().contiguous().numpy()
